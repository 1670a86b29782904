# Who listens where, from /proc.
package Network;
use Socket qw(AF_INET AF_INET6 inet_ntop);

use constant LISTENING => '0A';

# TCP listeners (of one port, or all): { port, address, pid, process }; pid is undef when no process here has it.
sub listeners ( $only_port = undef ) {
    my @found;
    for my $table ( [ AF_INET, '/proc/net/tcp' ], [ AF_INET6, '/proc/net/tcp6' ] ) {
        my ( $family, $path ) = @$table;
        for my $row ( split /\n/, Disk::content($path) // '' ) {
            my ( undef, $local, undef, $state, @rest ) = split ' ', $row;
            next if ( $state // '' ) ne LISTENING;
            my ( $address, $port ) = split /:/, $local;
            next if defined $only_port && hex $port != $only_port;
            push @found, { port => hex $port, address => address( $family, $address ), inode => $rest[5] };
        }
    }
    return if !@found;
    my $owner = socket_owners( map { $_->{inode} } @found );
    for my $listener (@found) {
        my $pid = $owner->{ delete $listener->{inode} } // next;
        $listener->{pid} = $pid;
        chomp( $listener->{process} = eval { Disk::content("/proc/$pid/comm") } // '?' );
    }
    return sort { $a->{port} <=> $b->{port} || $a->{address} cmp $b->{address} } @found;
}

# The kernel prints addresses as 32-bit words in the machine's byte order.
sub address ( $family, $hex ) {
    return inet_ntop( $family, pack 'L*', map { hex } $hex =~ /.{8}/g );
}

sub socket_owners (@inodes) {
    my %wanted = map { ( "socket:[$_]" => $_ ) } @inodes;
    my %owner;
    opendir my $processes, '/proc' or return {};
    for my $pid ( sort { $a <=> $b } grep { /\A[0-9]+\z/ } readdir $processes ) {
        opendir my $descriptors, "/proc/$pid/fd" or next;
        for my $descriptor ( readdir $descriptors ) {
            my $inode = $wanted{ readlink("/proc/$pid/fd/$descriptor") // '' } // next;
            $owner{$inode} //= $pid;
        }
        last if keys %owner == keys %wanted;
    }
    return \%owner;
}

sub in_service ( $pid, $service ) {
    my $groups = eval { Disk::content("/proc/$pid/cgroup") } // '';
    return $groups =~ m{/\Q$service\E(?:/|$)}m;
}
