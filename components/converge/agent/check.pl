# `converge check`: what differs from the texts of the last applies. Changes nothing and waits for no apply.
package Check;

# { UNIT => { token, drift => [ … ], busy } }. The secrets of a unit stand beside it as `UNIT.secrets`: a caller that
# stores them in a step of its own can see by their token that they are still there.
sub units (@names) {
    my %known = map { $_ => 1 } State::units();
    for my $name (@names) {
        my $others = join( ', ', sort keys %known ) || 'none';
        Failure::throw("there is no unit $name on this host; there are: $others") if !$known{$name};
    }
    my @subjects = map { subject($_) } @names ? @names : sort keys %known;
    prefetch( map { $_->{unit} } grep { $_->{unit} } @subjects );
    start_scripts( $subjects[0] );
    my %result = map { ( "$_.secrets" => { token => Secrets::load($_)->{token}, drift => [] } ) }
        @names ? () : State::having('secrets');
    for my $index ( 0 .. $#subjects ) {
        start_scripts( $subjects[ $index + 1 ] );    # scripts of the next unit run while this one is looked at
        my $subject = $subjects[$index];
        $result{ $subject->{name} } = {
            token => State::applied( $subject->{name} )->{token},
            drift => [ map { Report::redacted($_) } $subject->{drift} ? @{ $subject->{drift} } : drift($subject) ],
            $subject->{busy} ? ( busy => $subject->{busy} ) : (),
        };
    }
    return \%result;
}

# A unit read for checking, or the reason why it cannot be.
sub subject ($name) {
    my $state = State::interruption($name);
    return { name => $name, drift => [], busy => $state->{busy} } if $state->{busy};
    return { name => $name, drift => [ $state->{drift} ] } if $state->{drift};
    my $unit = eval {
        my $read    = Unit::parse( $name, State::get( $name, 'text' ) );
        my $digest  = $read->load_secrets;
        my $applied = State::applied($name)->{secrets} // '';
        Failure::throw('secrets changed since the last apply') if %{ $read->{secret_names} } && $digest ne $applied;
        $read;
    };
    return { name => $name, unit  => $unit } if $unit;
    return { name => $name, drift => [ Failure::of($@)->{message} ] };
}

# One question to systemd, dpkg and sha256sum for all units together.
sub prefetch (@units) {
    my @services = map { $_->all('Directive::Service') } @units;
    my @packages = map { $_->all('Directive::Packages') } @units;
    Systemd::load( map { $_->{name} } @services );
    Dpkg::load( ( map { $_->names } @packages ), map { $_->{name} } map { $_->all('Directive::Deb') } @units );
    my %trigger = map { $_ => 1 } grep { m{\A/} } map { ( @{ $_->{restart_on} }, @{ $_->{reload_on} } ) } @services;
    Disk::load_digests( sort keys %trigger );
}

sub start_scripts ($subject) {
    my $unit = $subject && $subject->{unit} or return;
    $_->prefetch($unit) for @{ $unit->{directives} };
}

sub drift ($subject) {
    my $unit = $subject->{unit};
    my @drift;
    for my $directive ( @{ $unit->{directives} } ) {
        my @differences = eval { $directive->differences($unit) };
        if ($@) {
            push @drift, $directive->label . ': ' . Failure::of($@)->{message};
            next;
        }
        $unit->{differing}{ $directive->trigger } = 1 if @differences && defined $directive->trigger;
        push @drift, map { $_->{is} } @differences;
    }
    return @drift;
}

# Certificates that units have put here, each with its end as openssl(1) says it. A host without openssl tells of none.
sub certificates () {
    my @found;
    for my $name ( State::units() ) {
        my $unit = eval { Unit::parse( $name, State::get( $name, 'text' ) ) } // next;
        for my $path ( grep { /\.(?:crt|pem)\z/ } map { $_->{path} } $unit->all('Directive::File') ) {
            my $done = Process::run( [ qw(openssl x509 -noout -enddate -in), $path ], apart => 1 );
            push @found, { unit => $name, path => $path, ends => $1 } if $done->{output} =~ /^notAfter=(.*)/m;
        }
    }
    return \@found;
}

sub in_order ($units) {
    return !grep { @{ $_->{drift} } } values %$units;
}
