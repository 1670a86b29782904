# Keeps what a package transaction installs from starting by itself, through Debian's own way: /usr/sbin/policy-rc.d.
# A policy of the operator's is respected: then ours is not put there. A service that already runs and belongs to no
# unit may be restarted by its package as ever; those of units are restarted by their units.
package ServicePolicy;

use constant PATH => '/usr/sbin/policy-rc.d';
use constant MARK => '# hastack: only while one package transaction runs';

sub during ($code) {
    my $installed = install();
    my $done      = eval { $code->(); 1 };
    my $failure   = $@;
    remove_if_ours() if $installed;
    die $failure     if !$done;
}

# The policy asks whether the very process that made it still lives: left over from a killed run, it allows all.
sub install () {
    return 0 if -e PATH || -l PATH;
    my ( $pid, $start ) = split / /, Process::identity($$);
    my $running = join '|',  map { "'$_'" } restartable();
    my $script  = join "\n", '#!/bin/sh', MARK,
        "stat=\$(cat /proc/$pid/stat 2>/dev/null) || exit 0",
        'set -- "$1" ${stat##*) }',
        "[ \"\$2\" != Z ] && [ \"\${21}\" = $start ] || exit 0",
        'case "${1%.service}" in',
        ( $running ? "$running) exit 0 ;;" : () ),
        '*) exit 101 ;;', 'esac', '';
    Disk::replace( PATH, $script, 0755 );
    return 1;
}

# Services that run now and that no unit of this host manages.
sub restartable () {
    my %managed = map { ( s/\Aservice //r => 1 ) } grep { /\Aservice / } map { Inventory::of($_) } State::units();
    my @running = Process::capture(qw(systemctl list-units --type=service --state=active --plain --no-legend)) =~
        /^(\S+\.service)/mg;
    return map { s/\.service\z//r } grep { !$managed{$_} && !/'/ } @running;
}

sub remove_if_ours () {
    Disk::remove(PATH) if ( Disk::content(PATH) // '' ) =~ /^\Q${\MARK}\E$/m;
}
