# `file PATH MODE OWNER:GROUP [no-final-newline] <<'MARK'`
package Directive::File;
use Fcntl ':mode';
our @ISA = ('Directive');
Directive::register( file => __PACKAGE__ );

sub read ( $class, $statement, $unit, $ ) {
    my $self = $class->new( $statement, path => $statement->path, mode => $statement->mode, $statement->owner );
    my $bare = $statement->has('no-final-newline');
    $self->{template} = $unit->template( $statement, 'the content' );
    chomp $self->{template} if $bare;
    $unit->claim( $statement, $self->{path} );
    return $self;
}

sub label ($self) { return "file $self->{path}" }

sub inventory ($self) { return ("file $self->{path}") }

sub differences ( $self, $unit ) {
    my $path = $self->{path};
    my ( $mode, $uid, $gid, $size ) = ( lstat $path )[ 2, 4, 5, 7 ];
    return Directive::difference( "$path missing", "$path created" ) if !defined $mode;
    if ( !S_ISREG($mode) ) {
        my $kind = Disk::kind_of($mode);
        return Directive::difference( "$path is a $kind", "$path replaced a $kind" );
    }
    my $content = $unit->expand( $self->{template} );
    my @differences;
    push @differences, Directive::difference( "$path content", "$path content changed" )
        if $size != length $content || Disk::content($path) ne $content;
    return @differences, Accounts::access_differences( $self, $mode, $uid, $gid );
}

# Always a new file: one way for every difference, and none that leaves a half-changed one.
sub fix ( $self, $unit, @differences ) {
    my $path   = $self->{path};
    my $parent = Disk::parent($path);
    Disk::refuse_foreign_links($path);
    Failure::throw("there is no directory $parent: add a `directory $parent …` line above, or install what brings it")
        if !-d $parent;
    my @ids = ( Accounts::uid( $self->{user} ), Accounts::gid( $self->{group} ) );
    $unit->say( "$path was a directory: moved to " . Disk::set_aside($path) ) if -d $path && !-l $path;
    Disk::replace( $path, $unit->expand( $self->{template} ), $self->{mode}, @ids );
    $unit->{systemd_files_changed} = 1 if Systemd::reads($path);
    $self->say_done( $unit, @differences );
}
