# `converge apply` and `converge remove`: everything that changes a host.
package Apply;

sub apply ( $name, $secrets_digest, $token, $text ) {
    my $unit = Unit::parse( $name, $text );
    begin_alone("apply of $name");
    check_secrets( $unit, $secrets_digest );
    $ENV{HASTACK_TOKEN} = $token;    # a script may have to know why it runs, e.g. whether its host is a new one
    for my $directive ( @{ $unit->{directives} } ) {
        next if !$directive->can('preflight');
        at( $directive, sub { $directive->preflight($unit) } );
    }

    # From here on the host changes; whatever interrupts it, the next apply and `check` can tell.
    State::begin( $name, 'apply' );
    eval {
        my @wanted = Inventory::wanted($unit);
        my @before = Inventory::of($name);
        Originals::keep($unit);
        Inventory::store( $name, @before, @wanted );
        State::put( $name, 'text', $text );
        my %wanted = map { $_ => 1 } @wanted;
        converge( $unit, grep { !$wanted{$_} && !Inventory::continues( $unit, $_ ) } @before );
        Inventory::store( $name, @wanted );
        State::put( $name, 'applied', "token $token\nsecrets $secrets_digest\nversion ${\Converge::VERSION}\n" );
        State::drop( $name, 'progress' );
        1;
    } or do {
        my $failure = Failure::of($@);
        eval { State::failed( $name, 'apply', $failure->{message} ) };
        die $failure;
    };
}

# Waits until no other run changes this host, and clears away what a killed one may have left.
sub begin_alone ($purpose) {
    State::lock($purpose);
    Process::clear_leftovers();
    ServicePolicy::remove_if_ours();
    @SIG{qw(INT TERM)} = ( sub ($name) { Failure::throw("stopped by SIG$name: run it again to finish") } ) x 2;
}

sub check_secrets ( $unit, $wanted ) {
    my $stored = $unit->load_secrets;
    Failure::throw(
        "secrets of unit $unit->{name} on this host are version $stored, this run needs $wanted: run `pulumi up` again")
        if $wanted ne $stored && !( $wanted eq '-' && !%{ $unit->{secret_names} } );
}

sub converge ( $unit, @obsolete ) {
    plan_restarts($unit);
    my %count  = ( changed => 0, in_order => 0 );
    my $say    = sub ($text) { $unit->say($text) };
    my $remove = sub { Inventory::take_away( $unit->{name}, $say, 0, splice @obsolete ) if @obsolete };
    for my $directive ( @{ $unit->{directives} } ) {
        if ( $directive->starts_things ) {
            $remove->();    # before anything reads configuration that is to be gone
            reload_systemd($unit);
        }
        at( $directive, sub { bring_in_order( $directive, $unit, \%count ) } );
    }
    $remove->();
    reload_systemd($unit);
    Directive::Service::confirm_all($unit);
    $unit->say("$count{changed} changed, $count{in_order} in order");
}

sub bring_in_order ( $directive, $unit, $count ) {
    my @differences = $directive->differences($unit) or return $count->{in_order}++;
    $directive->fix( $unit, @differences );
    $count->{changed} += @differences;
    Systemd::forget();    # a package or a script may have changed anything
    Dpkg::forget();
    my @left = $directive->left_over($unit);
    Failure::throw( 'still not so after the change: ' . join '; ', map { $_->{is} } @left ) if @left;
}

sub plan_restarts ($unit) {
    my @services   = $unit->all('Directive::Service');
    my %by_trigger = map { defined $_->trigger ? ( $_->trigger => $_ ) : () } @{ $unit->{directives} };
    Systemd::load( map { $_->{name} } @services );
    my %wrong;
    my $is_wrong = sub ($thing) {
        my $directive = $by_trigger{$thing} // return 0;    # a package: its version alone counts
        return $wrong{$thing} //= () = $directive->differences($unit);
    };
    $_->plan( $unit, $is_wrong ) for @services;
}

# New or changed unit files are read before a service is looked at.
sub reload_systemd ($unit) {
    my @services = map { $_->{name} } $unit->all('Directive::Service');
    Systemd::load(@services);
    my $stale = $unit->{systemd_files_changed} || grep { Systemd::state($_)->{NeedDaemonReload} eq 'yes' } @services;
    Systemd::daemon_reload() if $stale;
    $unit->{systemd_files_changed} = 0;
}

sub at ( $directive, $code ) {
    Failure::within( "line $directive->{line}, " . $directive->label, $code );
}

sub remove ( $name, $purge ) {
    begin_alone("removal of $name");
    my $say = sub ($text) { Report::line("$name: $text") };
    return $say->('there is no such unit on this host: nothing to remove') if !State::known($name);
    State::begin( $name, 'removal' );
    Secrets::load($name);
    my $unit = eval { Unit::parse( $name, State::get( $name, 'text' ) // "end\n" ) };
    Inventory::take_away( $name, $say, $purge, Inventory::of($name) );
    if ($unit) {
        $say->("$_->{verb} $_->{name} kept") for $unit->all('Directive::Group'), $unit->all('Directive::User');
        my @packages = map { $_->isa('Directive::Deb') ? $_->{name} : $_->names } $unit->all('Directive::Deb'),
            $unit->all('Directive::Packages');
        $say->("packages kept: @packages") if @packages;
    }
    State::forget($name);
    $say->('removed');
}
