# What a unit has put on this host, as lines `KIND NAME`, so that a later text that does not name it any more, or
# `remove`, can take it away. Kinds: file link sysctl directory data generated service mask hold.
package Inventory;

sub of ($unit) { return split /\n/, State::get( $unit, 'inventory' ) // '' }

sub store ( $unit, @items ) {
    my %seen;
    State::put( $unit, 'inventory', join '', map { "$_\n" } grep { !$seen{$_}++ } @items );
}

# Does the new text still name what ITEM names, though in another way? A file may have become a link.
sub continues ( $unit, $item ) {
    my ( $kind, $name ) = split / /, $item, 2;
    return $kind ne 'mask' && $unit->claims($name);
}

sub wanted ($unit) {
    return map { $_->inventory } @{ $unit->{directives} };
}

# Removes ITEMS from the host; what another unit has as well stays. Services go first, then files, and directories
# last, children before parents. Removing twice is no error.
sub take_away ( $unit_name, $say, $purge, @items ) {
    my %elsewhere;
    for my $other ( grep { $_ ne $unit_name } State::units() ) {
        $elsewhere{s/\A\S+ //r} //= $other for of($other);
    }
    my %turn = ( service => 0, mask => 0, hold => 0, file => 1, link => 1, sysctl => 1 );    # directories after these
    my @in_turn =
        sort { ( $turn{ $a->[0] } // 2 ) <=> ( $turn{ $b->[0] } // 2 ) || $b->[1] cmp $a->[1] }
        map { [ split / /, $_, 2 ] } @items;
    my $systemd_files = 0;
    for my $item (@in_turn) {
        my ( $kind, $name ) = @$item;
        if ( my $other = $elsewhere{$name} ) {
            $say->("$name kept: unit $other has it too");
            next;
        }
        remove_one( $kind, $name, $say, $purge );
        $systemd_files ||= Systemd::reads($name);
    }
    Systemd::daemon_reload() if $systemd_files;
}

sub remove_one ( $kind, $name, $say, $purge ) {
    return stop_service( $name, $say ) if $kind eq 'service';
    if ( $kind eq 'mask' ) {
        return if Systemd::state($name)->{LoadState} ne 'masked';
        Systemd::must( 'unmask', $name );
        return $say->("$name unmasked");
    }
    if ( $kind eq 'hold' ) {
        return if !Dpkg::state($name)->{held};
        Apt::mark( 'unhold', $name );
        return $say->("package $name no longer held");
    }
    return remove_directory( $name, $say )       if $kind eq 'directory';
    return remove_tree( $name, $say, 'removed' ) if $kind eq 'generated';
    return purge_data( $name, $say, $purge )     if $kind eq 'data';
    my $there = lstat $name;
    Disk::refuse_foreign_links($name) if $there;
    Disk::remove($name)               if !-d $name || -l $name;
    $say->("$name removed")           if $there;
}

sub stop_service ( $name, $say ) {
    my $state = Systemd::state($name);
    return if $state->{LoadState} eq 'not-found' && $state->{ActiveState} eq 'inactive';
    my %due = (
        stop    => $state->{ActiveState}   !~ /\A(?:inactive|failed)\z/,
        disable => $state->{UnitFileState} =~ /\Aenabled/,
    );
    my @done;
    for my $verb ( grep { $due{$_} } qw(stop disable) ) {
        my $complaint = Systemd::control( $verb, $name );
        if ( !defined $complaint ) { push @done, $verb eq 'stop' ? 'stopped' : 'disabled' }
        else                       { $say->( "cannot $verb $name, left as it is:" . Report::excerpt( $complaint, 3 ) ) }
    }
    Disk::remove( Directive::Service::RECORDS . "/$name" );
    $say->( "$name " . join ' and ', @done ) if @done;
}

sub remove_directory ( $name, $say ) {
    return                         if !-d $name || -l $name;
    return $say->("$name removed") if rmdir $name;
    $say->( "$name kept: " . ( $!{ENOTEMPTY} || $!{EEXIST} ? 'it is not empty' : "$!" ) );
}

sub purge_data ( $name, $say, $purge ) {
    return $say->("$name kept: it holds data") if -d $name && !$purge;
    remove_tree( $name, $say, 'purged' );
}

sub remove_tree ( $name, $say, $done ) {
    return if !-d $name;
    Disk::refuse_foreign_links($name);
    Process::capture( 'rm', '--recursive', '--force', '--one-file-system', '--', $name );
    $say->("$name $done");
}
