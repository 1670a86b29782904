# Package transactions: one apt-get run for all that is missing, with every question answered beforehand.
package Apt;

use constant {
    LOCK_PATIENCE => 300,
    UPDATE_HOLDS  => 600,                                # seconds that a successful update is good for
    UPDATE_STAMP  => Converge::STATE . '/apt-updated',
};

# Keep configuration files that we or the operator wrote; hash and signature checks stay as apt has them.
my @OPTIONS = map { ( '-o', $_ ) } qw(
    Dpkg::Options::=--force-confdef
    Dpkg::Options::=--force-confold
    Dpkg::Use-Pty=0
    Acquire::Retries=1
    Acquire::http::Timeout=20
    Acquire::https::Timeout=20
    Acquire::Languages=none
);

my %ENVIRONMENT = (
    DEBIAN_FRONTEND          => 'noninteractive',
    APT_LISTCHANGES_FRONTEND => 'none',
    UCF_FORCE_CONFFOLD       => '1',
    NEEDRESTART_SUSPEND      => '1',                # restarts are decided by the units
);

# Installs `name` or `name=version` or /path/to.deb; nothing that is installed may have to go for it. THROUGH is a program
# that runs the command it is given, or ''.
sub install ( $unit, $through, $targets, @options ) {
    my @through = length $through ? $through : ();
    my $fresh   = update_unless_recent($unit);
    ServicePolicy::during(
        sub {
            finish_interrupted( $unit, @through ) if Dpkg::is_interrupted();
            my @command = (
                @through, qw(apt-get install --yes --no-install-recommends --no-remove),
                @OPTIONS, @options, '--', @$targets
            );
            my $done = patiently( $unit, @command );
            if ( $done->{code} && !$fresh->{updated} && stale($done) ) {
                $fresh = update($unit);
                $done  = patiently( $unit, @command );
            }
            Failure::throw( "apt-get install @$targets failed: " . complaint( $done, $fresh->{complaint} ) )
                if $done->{code};
        }
    );
}

# Would an update help? A package that is not in the lists, or a file that the mirror has no more.
sub stale ($done) {
    return $done->{output} =~
        /Unable to locate package|was not found|has no installation candidate|404  Not Found|Hash Sum mismatch/;
}

sub update_unless_recent ($unit) {
    my $stamp = State::record( Disk::content(UPDATE_STAMP) );
    my $age   = time - ( $stamp->{time} // 0 );
    my $same  = ( $stamp->{sources} // '' ) eq sources();
    return $same && $age >= 0 && $age < UPDATE_HOLDS ? { updated => 0 } : update($unit);
}

# apt-get update may say W: and exit 0 with a mirror down, and the lists at hand may still do: so its complaint is
# kept for the case that the installation fails.
sub update ($unit) {
    $unit->say('updating the package lists');
    Disk::remove(UPDATE_STAMP);
    my $done       = patiently( $unit, qw(apt-get update), @OPTIONS );
    my @complaints = $done->{output} =~ /^([EW]: .*)$/mg;
    if ( $done->{code} == 0 && !@complaints ) {
        Disk::replace( UPDATE_STAMP, 'time ' . time . "\nsources " . sources() . "\n" );
        return { updated => 1 };
    }
    $unit->say("apt-get update: $_") for @complaints;
    return { updated => 1, complaint => join "\n", @complaints };
}

# What the package lists depend on, as one line of text.
sub sources () {
    my @directories = qw(/etc/apt/sources.list.d /etc/apt/trusted.gpg.d /etc/apt/apt.conf.d /etc/apt/keyrings
        /usr/share/keyrings);
    my @files = grep { -f } '/etc/apt/sources.list', map { glob "$_/*" } @directories;
    return join ' ', map { join ':', $_, ( stat $_ )[ 1, 7, 9 ] } @files;
}

sub finish_interrupted ( $unit, @through ) {
    $unit->say('finishing an interrupted package installation');
    my $done = patiently( $unit, @through, qw(dpkg --force-confdef --force-confold --configure -a) );
    return if $done->{code} == 0;
    $done = patiently( $unit, @through, qw(apt-get install --yes --fix-broken --no-remove), @OPTIONS );
    Failure::throw( 'an interrupted package installation cannot be finished: ' . complaint($done) ) if $done->{code};
}

# Repeats a command as long as another one holds a lock of the package manager: not all versions of apt wait by
# themselves, and none for the lock of the lists.
sub patiently ( $unit, @command ) {
    my $deadline = Process::uptime() + LOCK_PATIENCE;
    my $told     = 0;
    while (1) {
        my $done = Process::run( \@command, environment => \%ENVIRONMENT );
        my ($lock) =
            $done->{output} =~ /^(?:E|dpkg: error): (.*(?:get lock|frontend lock|locked by|lock directory).*)$/m;
        return $done if $done->{code} == 0 || !defined $lock || $lock =~ /Read-only|Permission denied|No space/;
        return $done if Process::uptime() > $deadline;
        $unit->say("waiting for the package manager: $lock") if !$told++;
        Process::pause(1);
    }
}

# The lines of apt and dpkg that say why.
sub complaint ( $done, $update_complaint = undef ) {
    my $telling =
        qr/^(?:[EW]:|Err:|dpkg: error|dpkg: dependency|\s+\S.*(?:Depends|Conflicts):)|returned error exit status/;
    my %seen;
    my @lines = grep { /$telling/ && !$seen{$_}++ } split /\n/, join "\n", $update_complaint // (), $done->{output};
    return "exit code $done->{code}" . Report::excerpt( @lines ? join( "\n", @lines ) : $done->{output}, 25 );
}

sub mark ( $verb, @names ) {
    Process::capture( 'apt-mark', $verb, '--', @names );
    Dpkg::forget();
}
