# What stood on the host before any unit: a copy of each file that a unit is about to replace for the first time, under
# /var/lib/hastack/originals, where root alone can read it. A copy is never overwritten.
package Originals;

use constant DIRECTORY => Converge::STATE . '/originals';

# Called before the host changes, and before the inventory names the unit's files: a file that no inventory names is
# none of ours, even if an earlier run was killed.
sub keep ($unit) {
    my %ours      = map { s/\A\S+ //r => 1 } map { Inventory::of($_) } State::having('inventory');
    my @replacing = map { $unit->all($_) } qw(Directive::File Directive::Link);
    for my $path ( map { $_->{path} } @replacing ) {
        next if $ours{$path} || !-l $path && !-f $path;
        my $copy = DIRECTORY . $path;
        next if -l $copy || -e $copy;
        Disk::make_private( Disk::parent($copy) );
        Process::capture( 'cp', '--archive', '--', $path, "$copy.new" );
        rename "$copy.new", $copy or Failure::throw("cannot keep a copy of $path: $!");
        Disk::sync_directory( Disk::parent($copy) );
        $unit->say("$path: what stood there is kept as $copy");
    }
}
