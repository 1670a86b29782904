# What this host remembers, all of it root-only, under /var/lib/hastack:
#   units/UNIT/text       text of the last apply, also of one that failed
#   units/UNIT/applied    token, secrets' digest and version of the last apply that succeeded
#   units/UNIT/inventory  what the unit's texts have put on this host since that apply (see inventory.pl)
#   units/UNIT/progress   there while an apply or remove runs, and after one that did not finish
#   units/UNIT/secrets    values of the unit's secrets (see secrets.pl)
#   services/NAME         what a service was last started with (see service.pl)
#   originals/PATH        what stood at PATH before a unit replaced it (see originals.pl)
package State;
use Fcntl qw(:DEFAULT :flock);

use constant UNITS    => Converge::STATE . '/units';
use constant PATIENCE => 600;

sub path ( $unit, $key ) { return UNITS . "/$unit/$key" }

sub get ( $unit, $key ) { return Disk::content( path( $unit, $key ) ) }

sub put ( $unit, $key, $content ) {
    Disk::make_private( UNITS . "/$unit" );
    Disk::replace( path( $unit, $key ), $content );
}

sub drop ( $unit, $key ) { Disk::remove( path( $unit, $key ) ) }

# `name value` lines as a hash.
sub record ($content) {
    return { map { /\A(\S+) (.*)\z/ ? ( $1 => $2 ) : () } split /\n/, $content // '' };
}

sub applied ($unit) { return record( get( $unit, 'applied' ) ) }

# Units with a text, in the order of their names.
sub units () { return having('text') }

sub having ($key) {
    opendir my $directory, UNITS or return;
    return sort grep { !/\A\./ && -e path( $_, $key ) } readdir $directory;
}

# Units of which anything is left, even only secrets or a half-done removal.
sub known ($unit) { return -d UNITS . "/$unit" }

# The text goes first and the note of the removal last, so that an interrupted removal shows as one.
sub forget ($unit) {
    my $directory = UNITS . "/$unit";
    Disk::remove( path( $unit, $_ ) ) for qw(text applied inventory secrets progress);
    rmdir $directory or Failure::throw("cannot remove $directory: $!");
    Disk::sync_directory(UNITS);
}

sub forget_secrets ($unit) {
    my $directory = UNITS . "/$unit";
    return if !-d $directory;
    Disk::remove( path( $unit, 'secrets' ) );
    rmdir $directory;    # where nothing else of the unit is left
}

# Notes that WHAT (`apply` or `removal`) has begun; `interruption` tells later whether it came to an end.
sub begin ( $unit, $what ) { put( $unit, 'progress', "what $what\nby " . Process::identity($$) . "\n" ) }

sub failed ( $unit, $what, $message ) {
    my ($first) = split /\n/, Report::redacted($message);
    put( $unit, 'progress', "what $what\nfailed $first\n" );
}

# { busy => … } while a live process works on the unit, { drift => … } after work that did not finish, else {}.
sub interruption ($unit) {
    my $progress = record( get( $unit, 'progress' ) );
    my $what     = $progress->{what} or return {};
    return { drift => "last $what failed: $progress->{failed}" } if $progress->{failed};
    my ($pid) = split / /, $progress->{by} // '0';
    return { busy  => "$what by process $pid is running" } if Process::identity($pid) eq $progress->{by};
    return { drift => "$what was interrupted" };
}

# One apply or remove at a time on a host. The kernel releases the lock when its holder dies.
my $lock;

sub lock ($purpose) {
    Disk::make_private(Converge::RUN);
    my $path = Converge::RUN . '/lock';
    sysopen( $lock, $path, O_RDWR | O_CREAT, 0600 ) or Failure::throw("cannot open $path: $!");
    my $deadline = Process::uptime() + PATIENCE;
    my $told     = 0;
    until ( flock $lock, LOCK_EX | LOCK_NB ) {
        my $holder = Disk::content($path) =~ s/\s+\z//r || 'another run';
        Report::line("waiting: $holder is running on this host") if !$told++;
        Failure::throw("$holder still runs after ${\PATIENCE} s: wait for its end, then run again")
            if Process::uptime() > $deadline;
        Process::pause(0.1);
    }
    truncate $lock, 0;
    sysseek $lock, 0, 0;
    syswrite $lock, "$purpose (process $$)\n";
}
