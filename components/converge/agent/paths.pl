# `directory`, `data`, `generated`, `link` and `absent`.
package Directive::Directory;
use Fcntl qw(:DEFAULT :mode);
our @ISA = ('Directive');
Directive::register( directory => __PACKAGE__, data => __PACKAGE__, generated => __PACKAGE__ );

sub read ( $class, $statement, $unit, $ ) {
    my $self = $class->new( $statement, path => $statement->path, mode => $statement->mode, $statement->owner );
    $unit->claim( $statement, $self->{path} );
    return $self;
}

sub label ($self) { return "$self->{verb} $self->{path}" }

sub inventory ($self) { return ("$self->{verb} $self->{path}") }

# A link that root made counts as the directory it leads to: that is how an operator moves data to another disk.
sub status ($self) {
    my @status = lstat $self->{path};
    @status = stat $self->{path} if @status && S_ISLNK( $status[2] ) && $status[4] == 0 && -d $self->{path};
    return @status[ 2, 4, 5 ];
}

sub differences ( $self, $unit ) {
    my $path = $self->{path};
    my ( $mode, $uid, $gid ) = $self->status;
    return Directive::difference( "$path missing", "$path created" ) if !defined $mode;
    if ( !S_ISDIR($mode) ) {
        my $kind = Disk::kind_of($mode);
        return Directive::difference( "$path is a $kind", "$path replaced a $kind" );
    }
    return Accounts::access_differences( $self, $mode, $uid, $gid );
}

sub fix ( $self, $unit, @differences ) {
    my $path   = $self->{path};
    my $parent = Disk::parent($path);
    Disk::refuse_foreign_links($path);
    Failure::throw("there is no directory $parent: add a `directory $parent …` line above") if !-d $parent;
    my @ids = ( Accounts::uid( $self->{user} ), Accounts::gid( $self->{group} ) );
    my ($mode) = $self->status;
    if ( !defined $mode || !S_ISDIR($mode) ) {
        $unit->say( "$path was in the way: moved to " . Disk::set_aside($path) ) if defined $mode;
        mkdir $path, 0700 or Failure::throw("cannot make $path: $!");
    }
    my $follow = -l $path ? 0 : O_NOFOLLOW;
    my $directory;
    sysopen( $directory, $path, O_RDONLY | O_DIRECTORY | $follow )
        && chown( @ids, $directory )
        && chmod( $self->{mode}, $directory )
        or Failure::throw("cannot set owner and mode of $path: $!");
    Disk::sync_directory($parent);
    $self->say_done( $unit, @differences );
}

package Directive::Link;
use Fcntl ':mode';
our @ISA = ('Directive');
Directive::register( link => __PACKAGE__ );

sub read ( $class, $statement, $unit, $ ) {
    my $self = $class->new( $statement, path => $statement->path, target => $statement->word('a target') );
    $unit->claim( $statement, $self->{path} );
    return $self;
}

sub label ($self) { return "link $self->{path}" }

sub inventory ($self) { return ("link $self->{path}") }

sub differences ( $self, $unit ) {
    my ( $path, $target ) = @$self{qw(path target)};
    my ($mode) = ( lstat $path )[2];
    return Directive::difference( "$path missing", "$path created" ) if !defined $mode;
    if ( !S_ISLNK($mode) ) {
        my $kind = Disk::kind_of($mode);
        return Directive::difference( "$path is a $kind", "$path replaced a $kind" );
    }
    my $is = readlink $path;
    return if $is eq $target;
    return Directive::difference( "$path leads to $is, want $target", "$path led to $is, now $target" );
}

sub fix ( $self, $unit, @differences ) {
    my ( $path, $target ) = @$self{qw(path target)};
    my $parent = Disk::parent($path);
    Disk::refuse_foreign_links($path);
    Failure::throw("there is no directory $parent: add a `directory $parent …` line above") if !-d $parent;
    $unit->say( "$path was a directory: moved to " . Disk::set_aside($path) )               if -d $path && !-l $path;
    my $new = Disk::unfinished($path);
    unlink $new;
    symlink( $target, $new ) && rename( $new, $path ) or Failure::throw("cannot make the link $path: $!");
    Disk::sync_directory($parent);
    $unit->{systemd_files_changed} = 1 if Systemd::reads($path);
    $self->say_done( $unit, @differences );
}

package Directive::Absent;
our @ISA = ('Directive');
Directive::register( absent => __PACKAGE__ );

sub read ( $class, $statement, $unit, $ ) {
    my $self = $class->new( $statement, path => $statement->path );
    $unit->claim( $statement, $self->{path} );
    return $self;
}

sub label ($self) { return "absent $self->{path}" }

sub differences ( $self, $unit ) {
    return if !lstat $self->{path};
    return Directive::difference( "$self->{path} present", "$self->{path} removed" );
}

sub fix ( $self, $unit, @differences ) {
    my $path = $self->{path};
    Disk::refuse_foreign_links($path);
    if ( -d $path && !-l $path ) {
        rmdir $path or Failure::throw("cannot remove $path: $!. Only an empty directory is removed: empty it first");
        Disk::sync_directory( Disk::parent($path) );
    }
    else {
        Disk::remove($path);
    }
    $unit->{systemd_files_changed} = 1 if Systemd::reads($path);
    $self->say_done( $unit, @differences );
}
