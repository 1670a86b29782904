# Child processes: a clean environment, no input, output captured in memory-backed files.
# Captured in files and not pipes, because a daemon that a script leaves behind would keep a pipe open for ever.
package Process;
use Fcntl;
use POSIX ();

use constant LONGEST_OUTPUT => 1 << 20;

my $serial = 0;

# Starts a command; `finish` waits for it. Options: environment => {}, apart => 1 (stderr apart from stdout).
sub start ( $command, %option ) {
    my $out = scratch_file();
    my $err = $option{apart} ? scratch_file() : $out;
    my $pid = fork // Failure::throw("cannot start $command->[0]: $!");
    return { pid => $pid, out => $out, err => $err, command => $command } if $pid;

    $SIG{$_} = 'DEFAULT' for qw(PIPE HUP INT TERM);
    umask 022;    # what packages and scripts make is for others to read, unless they say otherwise
    %ENV = ( %ENV, %{ $option{environment} // {} } );
    open STDIN,  '<',  '/dev/null' or POSIX::_exit(126);
    open STDOUT, '>&', $out        or POSIX::_exit(126);
    open STDERR, '>&', $err        or POSIX::_exit(126);
    no warnings 'exec';
    exec { $command->[0] } @$command or print STDERR "cannot run $command->[0]: $!\n";
    STDERR->flush;
    POSIX::_exit(127);
}

# Waits, and returns { code, output, errors }; a code of 128 + N is a death by signal N.
sub finish ($child) {
    waitpid $child->{pid}, 0;
    my $status = $?;
    return {
        code   => $status & 127 ? 128 + ( $status & 127 ) : $status >> 8,
        output => tail( $child->{out} ),
        errors => $child->{err} == $child->{out} ? '' : tail( $child->{err} ),
    };
}

sub run ( $command, %option ) {
    return finish( start( $command, %option ) );
}

# Output of a command that has to succeed.
sub capture (@command) {
    my $done = run( \@command, apart => 1 );
    return $done->{output} if $done->{code} == 0;
    Failure::throw( "`@command` failed with exit code $done->{code}" . Report::excerpt( $done->{errors} ) );
}

# A step of a unit: shell text from a root-only file in memory, so that no secret is an argument of anything.
# timeout(1) and not a timer of ours ends it: it holds (for the whole process group) even when this program is killed.
sub start_script ( $text, $seconds ) {
    my $path = scratch_path('sh');
    sysopen( my $file, $path, O_WRONLY | O_CREAT | O_EXCL, 0600 ) or Failure::throw("cannot write $path: $!");
    print {$file} $text                                           or Failure::throw("cannot write $path: $!");
    close $file                                                   or Failure::throw("cannot write $path: $!");
    my $child = start( [ 'timeout', '--kill-after=5', $seconds, '/bin/sh', '-eu', $path ], apart => 1 );
    $child->{script} = $path;
    return $child;
}

sub run_script ( $text, $seconds ) { return finish_script( start_script( $text, $seconds ) ) }

sub finish_script ($child) {
    my $done = finish($child);
    unlink $child->{script};
    $done->{timed_out} = $done->{code} == 124 || $done->{code} == 137;
    return $done;
}

# What a failed script said, for an error message.
sub complaint ( $done, $seconds ) {
    my $how = $done->{timed_out} ? "no end within $seconds s" : "exit code $done->{code}";
    return $how . Report::excerpt("$done->{output}\n$done->{errors}");
}

sub scratch_path ($suffix) {
    Disk::make_private(Converge::RUN);
    return sprintf '%s/%d-%d.%s', Converge::RUN, $$, ++$serial, $suffix;
}

sub scratch_file () {
    my $path = scratch_path('out');
    sysopen( my $file, $path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600 ) or Failure::throw("cannot write $path: $!");
    unlink $path;
    return $file;
}

# Files of runs that were killed. Their names begin with a process id.
sub clear_leftovers () {
    for my $path ( glob Converge::RUN . '/[0-9]*-[0-9]*.*' ) {
        my ($pid) = $path =~ m{/(\d+)-\d+\.\w+\z} or next;
        unlink $path if !-e "/proc/$pid";
    }
}

sub tail ($file) {
    my $size = -s $file;
    sysseek $file, $size > LONGEST_OUTPUT ? $size - LONGEST_OUTPUT : 0, 0;
    return Disk::read_all( $file, 'captured output' );
}

# What a process is known by even when its number is used again: number, start time, boot. Empty when it does not live.
sub identity ($pid) {
    my $stat = eval { Disk::content("/proc/$pid/stat") } // return '';
    my ( $state, $start ) = ( split / /, $stat =~ s/.*\) //sr )[ 0, 19 ];    # fields 3 and 22 of proc(5)
    return '' if $state eq 'Z';
    chomp( my $boot = Disk::content('/proc/sys/kernel/random/boot_id') );
    return "$pid $start $boot";
}

# Seconds since boot: a clock that nobody sets.
sub uptime () {
    return ( split / /, Disk::content('/proc/uptime') )[0];
}

sub pause ($seconds) {
    select undef, undef, undef, $seconds;
}
