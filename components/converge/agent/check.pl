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

# Certificates that units have put here, each with its end.
sub certificates () {
    my @found;
    for my $name ( State::units() ) {
        my $unit = eval { Unit::parse( $name, State::get( $name, 'text' ) ) } // next;
        for my $path ( grep { /\.(?:crt|pem)\z/ } map { $_->{path} } $unit->all('Directive::File') ) {
            my $ends = end_of( eval { Disk::content($path) } // next ) // next;
            push @found, { unit => $name, path => $path, ends => $ends };
        }
    }
    return \@found;
}

# The end of the first certificate in PEM, e.g. `2036-11-19T09:38:49Z`. It is the second of two times that make a
# sequence (RFC 5280, 4.1.2.5): years have two digits up to 2049.
sub end_of ($pem) {
    my ($base64) = $pem =~ /^-----BEGIN CERTIFICATE-----\n(.+?)^-----END/ms or return undef;
    my $time = qr/\x17\x0d(?<short>\d{12})Z|\x18\x0f(?<long>\d{14})Z/;
    return undef if Secrets::decoded($base64) !~ /\x30[\x1e\x20\x22](?:\x17\x0d\d{12}Z|\x18\x0f\d{14}Z)(?:$time)/;
    my $digits = $+{long} // ( $+{short} < 500000000000 ? '20' : '19' ) . $+{short};
    return sprintf '%s-%s-%sT%s:%s:%sZ', unpack 'A4 (A2)5', $digits;
}

sub in_order ($units) {
    return !grep { @{ $_->{drift} } } values %$units;
}
