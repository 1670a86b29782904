# Owners of files, and the directives `group` and `user`.
package Accounts;

sub uid ($user) {
    return 0 + $user if $user =~ /\A[0-9]+\z/;
    return scalar getpwnam($user) // Failure::throw("there is no user $user on this host");
}

sub gid ($group) {
    return 0 + $group if $group =~ /\A[0-9]+\z/;
    return scalar getgrnam($group) // Failure::throw("there is no group $group on this host");
}

# What differs between a file's mode and owner and those a directive with path, mode, user and group wants.
sub access_differences ( $wanted, $mode, $uid, $gid ) {
    my ( $path, @differences ) = $wanted->{path};
    my ( $has, $wants ) = map { sprintf '%04o', $_ & 07777 } $mode, $wanted->{mode};
    push @differences, Directive::difference( "$path mode $has, want $wants", "$path mode $has, now $wants" )
        if $has ne $wants;
    my $owner = "$wanted->{user}:$wanted->{group}";
    my $is    = ( getpwuid($uid) // $uid ) . ':' . ( getgrgid($gid) // $gid );
    push @differences, Directive::difference( "$path owner $is, want $owner", "$path owner $is, now $owner" )
        if !owned_by( $wanted, $uid, $gid );
    return @differences;
}

sub owned_by ( $wanted, $uid, $gid ) {
    return eval { uid( $wanted->{user} ) == $uid && gid( $wanted->{group} ) == $gid };
}

package Directive::Group;
our @ISA = ('Directive');
Directive::register( group => __PACKAGE__ );

my $name_pattern = qr/[a-z_][a-z0-9_-]{0,31}/;

sub read ( $class, $statement, $unit, $ ) {
    my $self = $class->new( $statement, name => $statement->word( 'a group name', $name_pattern ) );
    while ( $statement->more ) {
        if    ( $statement->has('system') ) { $self->{system} = 1 }
        elsif ( $statement->has('gid') )    { $self->{gid} = $statement->word( 'a group id', qr/[0-9]{1,9}/ ) }
        else                                { $statement->done }
    }
    $unit->claim( $statement, "group $self->{name}" );
    return $self;
}

sub label ($self) { return "group $self->{name}" }

sub differences ( $self, $unit ) {
    my $gid = getgrnam $self->{name};
    return Directive::difference( "group $self->{name} missing", "group $self->{name} created" ) if !defined $gid;
    return if !defined $self->{gid} || $gid == $self->{gid};
    return Directive::difference( "group $self->{name} has id $gid, want $self->{gid}", '' );
}

sub fix ( $self, $unit, @differences ) {
    Failure::throw( "$differences[0]{is}: not changed, because files would be left to the old id. "
            . 'Change it by hand (groupmod, then the files), or leave `gid` out' )
        if defined getgrnam $self->{name};
    my @options = $self->{system} ? '--system' : ();
    push @options, '--gid', $self->{gid} if defined $self->{gid};
    Process::capture( 'groupadd', @options, $self->{name} );
    $self->say_done( $unit, @differences );
}

package Directive::User;
our @ISA = ('Directive');
Directive::register( user => __PACKAGE__ );

sub read ( $class, $statement, $unit, $ ) {
    my $self = $class->new( $statement, name => $statement->word( 'a user name', $name_pattern ), groups => [] );
    while ( $statement->more ) {
        if    ( $statement->has('system') ) { $self->{system} = 1 }
        elsif ( $statement->has('home') )   { $self->{home}   = $statement->path }
        elsif ( $statement->has('shell') )  { $self->{shell}  = $statement->path }
        elsif ( $statement->has('group') )  { $self->{group}  = $statement->word( 'a group name', $name_pattern ) }
        elsif ( $statement->has('groups') ) {
            $self->{groups} =
                [ split /,/, $statement->word( 'a list GROUP,GROUP…', qr/$name_pattern(?:,$name_pattern)*/ ) ];
        }
        else { $statement->done }
    }
    $unit->claim( $statement, "user $self->{name}" );
    return $self;
}

sub label ($self) { return "user $self->{name}" }

sub differences ( $self, $unit ) {
    my $name = $self->{name};
    my ( $primary, $home, $shell ) = ( getpwnam $name )[ 3, 7, 8 ];
    return Directive::difference( "user $name missing", "user $name created" ) if !defined $primary;

    my %is          = ( home => $home, shell => $shell, group => scalar( getgrgid $primary ) // $primary );
    my @differences = map {
        Directive::difference( "user $name $_ $is{$_}, want $self->{$_}", "user $name $_ $is{$_}, now $self->{$_}" )
    } grep { defined $self->{$_} && $self->{$_} ne $is{$_} } qw(home shell group);
    push @differences, Directive::difference( "user $name not in group $_", "user $name added to group $_" )
        for $self->groups_missing;
    return @differences;
}

sub groups_missing ($self) {
    return grep {
        my ( $gid, $members ) = ( getgrnam $_ )[ 2, 3 ];
        my $primary = ( getpwnam $self->{name} )[3];
        !defined $gid || ( $gid != $primary && !grep { $_ eq $self->{name} } split / /, $members );
    } @{ $self->{groups} };
}

# Homes are left to `directory` and `data` lines, which say owner and mode.
sub fix ( $self, $unit, @differences ) {
    my $name = $self->{name};
    Accounts::gid($_) for grep { defined } $self->{group}, @{ $self->{groups} };
    if ( !defined getpwnam $name ) {
        my $group   = $self->{group} // ( defined getgrnam $name ? $name : undef );
        my @options = ( '--no-create-home', '--shell', $self->{shell} // '/usr/sbin/nologin' );
        push @options, defined $group ? ( '--gid', $group ) : '--user-group';
        push @options, '--system' if $self->{system};
        push @options, '--home-dir', $self->{home} if defined $self->{home};
        Process::capture( 'useradd', @options, $name );
    }
    else {
        my %flag    = ( home => '--home', shell => '--shell', group => '--gid' );
        my @changes = map { ( $flag{$_}, $self->{$_} ) } grep { defined $self->{$_} } sort keys %flag;
        Process::capture( 'usermod', @changes, $name ) if @changes;
    }
    my @missing = $self->groups_missing;
    Process::capture( 'usermod', '--append', '--groups', join( ',', @missing ), $name ) if @missing;
    $self->say_done( $unit, @differences );
}
