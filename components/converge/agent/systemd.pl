# What systemd says of its units, asked as rarely as possible.
package Systemd;

use constant PROPERTIES =>
    qw(LoadState ActiveState SubState UnitFileState InvocationID NeedDaemonReload CanReload Result
    ExecMainStatus InactiveExitTimestampMonotonic);

my %state;

# Full name of a unit: a bare name is a service.
sub full_name ($name) {
    return $name =~ /\.(?:service|socket|timer|path|target|mount|slice|swap|automount)\z/ ? $name : "$name.service";
}

# Properties of units as { NAME => { LoadState => … } }; asks systemd once for all that are not known yet.
sub load (@names) {
    my %seen;
    my @unknown = grep { !$state{$_} && !$seen{$_}++ } @names or return;
    my @blocks  = split /\n\n+/,
        Process::capture( 'systemctl', 'show', '--property=' . join( ',', PROPERTIES ), '--', @unknown );
    for my $name (@unknown) {
        my $block = shift @blocks // Failure::throw("systemctl says nothing of $name");
        $state{$name} = { map { /\A(\w+)=(.*)\z/ ? ( $1 => $2 ) : () } split /\n/, $block };
    }
}

sub state ($name) {
    load($name);
    return $state{$name};
}

sub forget () { %state = () }

sub is_active ($state) { return $state->{ActiveState} =~ /\A(?:active|reloading)\z/ }

# Does systemd read its configuration from PATH?
sub reads ($path) { return $path =~ m{\A(?:/etc|/run|(?:/usr(?:/local)?)?/lib)/systemd/} }

sub daemon_reload () {
    Process::capture( 'systemctl', 'daemon-reload' );
    forget();
}

# Runs `systemctl VERB NAME`; returns undef, or what systemctl said when it failed.
sub control ( $verb, $name, @options ) {
    my $done = Process::run( [ 'systemctl', $verb, @options, '--', $name ] );
    forget();
    return $done->{code} == 0 ? undef : $done->{output};
}

sub must ( $verb, $name, @options ) {
    my $complaint = control( $verb, $name, @options ) // return;
    Failure::throw( "systemctl $verb $name failed" . Report::excerpt($complaint) );
}

# How a service is doing, with the last lines of its journal since its last start: for error messages.
sub diagnosis ($name) {
    forget();
    my $state = state($name);
    my $text  = "$state->{ActiveState} ($state->{SubState}), result $state->{Result}";
    $text .= ", exit status $state->{ExecMainStatus}" if $state->{ExecMainStatus};
    my $started = $state->{InactiveExitTimestampMonotonic} or return $text;

    # By time and not by invocation: what a short-lived process wrote often lacks the id of its invocation.
    # Newest first: with --since alone, --lines counts from the oldest.
    my $since = int( time - Process::uptime() + $started / 1_000_000 );
    Process::run( [ 'journalctl', '--sync' ] );
    my $journal = Process::run(
        [
            qw(journalctl --quiet --no-pager --reverse --lines=15 --output=short-iso), "--since=\@$since", '--unit',
            $name
        ]
    );
    my @entries = reverse split /^(?=\d{4}-\d\d-\d\dT)/m, $journal->{output};
    my $lines   = Report::excerpt( join '', @entries );
    return $lines ? "$text; the last lines of its journal:$lines" : $text;
}
