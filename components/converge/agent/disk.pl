# Files as bytes: read without following links, replaced as a whole or not at all, and on the disk when we say so.
package Disk;
use Fcntl qw(:DEFAULT :mode);
use IO::Handle;

my %digest;    # see load_digests

# Content of a regular file; undef when there is none.
sub content ($path) {
    sysopen( my $file, $path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK ) or do {
        return undef if $!{ENOENT} || $!{ENOTDIR} || $!{ELOOP};
        Failure::throw("cannot read $path: $!");
    };
    return read_all( $file, $path );
}

sub read_all ( $file, $name ) {
    my $content = '';
    while (1) {
        my $got = sysread $file, $content, 1 << 20, length $content;
        Failure::throw("cannot read $name: $!") if !defined $got;
        return $content                         if $got == 0;
    }
}

# Puts CONTENT at PATH in one step: a reader sees the old or the new file, and so does the next boot after a power loss.
# The new file never exists with more permissions than MODE, nor with the wrong owner under its final name.
sub replace ( $path, $content, $mode = 0600, $uid = 0, $gid = 0 ) {
    my $new = unfinished($path);
    unlink $new;
    delete $digest{$path};
    eval {
        sysopen( my $file, $new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600 ) or die "$!\n";
        my $offset = 0;
        while ( $offset < length $content ) {
            my $wrote = syswrite $file, $content, length($content) - $offset, $offset;
            die "$!\n" if !defined $wrote;
            $offset += $wrote;
        }
        chown( $uid, $gid, $file ) && chmod( $mode, $file ) && $file->sync && close $file or die "$!\n";
        rename $new, $path or die "$!\n";
        1;
    } or do {
        chomp( my $reason = $@ );
        unlink $new;
        Failure::throw( "cannot write $path: $reason" . ( -e $path ? ' (what was there is untouched)' : '' ) );
    };
    sync_directory( parent($path) );
}

# Name of the temporary file beside PATH: always the same, so that a killed run's leftover is cleared by the next.
sub unfinished ($path) {
    return parent($path) . '/.' . ( $path =~ s{.*/}{}sr ) . '.hastack-new';
}

sub parent ($path) {
    return $path =~ m{\A(.+)/[^/]+\z}s ? $1 : '/';
}

sub sync_directory ($path) {
    my $directory;
    sysopen( $directory, $path, O_RDONLY | O_DIRECTORY ) && defined $directory->sync
        or Failure::throw("cannot sync $path: $!");
}

sub remove ($path) {
    delete $digest{$path};
    unlink unfinished($path);
    unlink $path or $!{ENOENT} or $!{ENOTDIR} or Failure::throw("cannot remove $path: $!");
    sync_directory( parent($path) ) if -d parent($path);
}

# Makes a directory of our own (root only) and its parents.
sub make_private ($path) {
    return                        if -d $path;
    make_private( parent($path) ) if !-d parent($path);
    mkdir $path, 0700 or $!{EEXIST} or Failure::throw("cannot make $path: $!");
    sync_directory( parent($path) );
}

# Moves what is in the way of PATH beside it, so that nothing is lost; returns its new name.
sub set_aside ($path) {
    my ( $second, $minute, $hour, $day, $month, $year ) = gmtime;
    my $aside = sprintf '%s.hastack-saved-%04d%02d%02dT%02d%02d%02dZ', $path,
        $year + 1900, $month + 1, $day, $hour, $minute, $second;
    rename $path, $aside or Failure::throw("cannot move $path aside: $!");
    return $aside;
}

# Root must not write where someone else can redirect it: every link on the way to PATH has to be root's own.
sub refuse_foreign_links ($path) {
    my $step = '';
    for my $name ( grep { length } split m{/}, parent($path) ) {
        $step .= "/$name";
        my ( $mode, $owner ) = ( lstat $step )[ 2, 4 ];
        next if !defined $mode || !S_ISLNK($mode) || $owner == 0;
        Failure::throw("$step is a symbolic link that belongs to user id $owner, not to root: refusing to follow it");
    }
}

sub kind_of ($mode) {
    return
          S_ISREG($mode)  ? 'file'
        : S_ISDIR($mode)  ? 'directory'
        : S_ISLNK($mode)  ? 'symbolic link'
        : S_ISFIFO($mode) ? 'pipe'
        : S_ISSOCK($mode) ? 'socket'
        :                   'device';
}

# SHA-256 of files, computed for many by one process and remembered until this program changes them.
sub load_digests (@paths) {
    my @unknown = grep { !exists $digest{$_} && -f } @paths or return;
    my $output  = Process::capture( 'sha256sum', '--zero', '--', @unknown );
    m{\A([0-9a-f]{64})  (.*)\z}s and $digest{$2} = $1 for split /\0/, $output;
}

# undef when there is no such file.
sub digest ($path) {
    load_digests($path);
    return $digest{$path};
}
