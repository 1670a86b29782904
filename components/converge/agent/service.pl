# `service NAME [enabled|disabled] [started|stopped] [masked] [restart-on LIST] [reload-on LIST] [no-block]
#          [before-restart <<'MARK']`, and below it `after-restart <<'MARK'`
#
# When is a restart due? Not when a file was healed that the running process never saw wrong; and a run killed
# between a file and its restart must not forget the restart. So for each service there is a record of the files'
# digests (its "fingerprint") with which it was last started here, and of systemd's id of that invocation.
#   - a fingerprint other than the recorded one: restart is due;
#   - before a wrong file is healed, the record is dropped if the service was started since by someone else, who
#     may have started it with the wrong file (`plan`): without a record a restart is due;
#   - while we restart, the record says "from invocation X": as long as X runs, the restart is still due.
package Directive::Service;
our @ISA = ('Directive');
Directive::register( service => __PACKAGE__ );

use constant RECORDS => Converge::STATE . '/services';
use constant SETTLED => 1.0;                             # seconds that a started service has to stay up

my $TRIGGER = qr{(?:/|package:|step:)[^,]+};

sub read ( $class, $statement, $unit, $following ) {
    my $name = Systemd::full_name( $statement->word( 'a service name', qr/[A-Za-z0-9:_.\\@-]+/ ) );
    my $self = $class->new( $statement, name => $name, restart_on => [], reload_on => [] );
    while ( $statement->more ) {
        my @flags = grep { $statement->has($_) } qw(enabled disabled started stopped masked no-block);
        if    (@flags)                          { @$self{@flags}      = (1) x @flags }
        elsif ( $statement->has('restart-on') ) { $self->{restart_on} = triggers( $statement, $unit ) }
        elsif ( $statement->has('reload-on') )  { $self->{reload_on}  = triggers( $statement, $unit ) }
        elsif ( $statement->has('before-restart') ) {
            $self->{before_restart} = $unit->template( $statement, 'the script' );
        }
        else { $statement->done }
    }
    if ( @$following && $following->[0]{verb} eq 'after-restart' ) {
        my $next = shift @$following;
        $self->{after_restart} = $unit->template( $next, 'the script' );
        $next->done;
    }
    for ( [qw(enabled disabled)], [qw(started stopped)], [qw(masked enabled)], [qw(masked started)] ) {
        my ( $one, $other ) = @$_;
        $statement->wrong("`service $name`: $one and $other exclude each other") if $self->{$one} && $self->{$other};
    }
    $self->{stopped} = 1 if $self->{masked};
    $unit->claim( $statement, $name );
    return $self;
}

# A list of things on lines above: paths of files and links, package:NAME, step:NAME.
sub triggers ( $statement, $unit ) {
    my @list = split /,/, $statement->word( 'a list PATH,PATH…', qr{$TRIGGER(?:,$TRIGGER)*} );
    for my $thing (@list) {
        my $known =
              $thing =~ /\Apackage:(.*)/ ? "package $1"
            : $thing =~ /\Astep:(.*)/    ? "step \"$1\""
            :                              $thing;
        $statement->wrong("`$thing`: no line above makes it") if !$unit->claims($known);
    }
    return \@list;
}

sub label ($self) { return "service $self->{name}" }

sub starts_things ($self) { return 1 }

sub inventory ($self) {
    return "mask $self->{name}" if $self->{masked};
    return $self->{enabled} || $self->{started} ? "service $self->{name}" : ();
}

# --- what differs

sub differences ( $self, $unit ) {
    my $name  = $self->{name};
    my $state = Systemd::state($name);
    my $say   = sub ( $is, $done, $action ) {
        return { %{ Directive::difference( "$name $is", "$name $done" ) }, action => $action };
    };
    my $masked = $state->{LoadState} eq 'masked';
    return $say->( 'masked', 'unmasked', 'unmask' )
        if $masked && !$self->{masked} && ( $self->{enabled} || $self->{started} );
    return $say->( 'missing: systemd knows no such unit', '', 'missing' )
        if $state->{LoadState} eq 'not-found' && ( $self->{enabled} || $self->{started} );
    return $say->( "cannot be loaded ($state->{LoadState})", '', 'unreadable' )
        if $state->{LoadState} =~ /\A(?:bad-setting|error)\z/;

    my @differences;
    push @differences, $say->( $state->{ActiveState}, 'stopped', 'stop' )
        if $self->{stopped} && $state->{ActiveState} !~ /\A(?:inactive|failed)\z/;
    push @differences, $say->( 'not masked', 'masked',  'mask' )   if $self->{masked}  && !$masked;
    push @differences, $say->( 'disabled',   'enabled', 'enable' ) if $self->{enabled} && !is_enabled($state);
    push @differences, $say->( 'enabled', 'disabled', 'disable' )
        if $self->{disabled} && $state->{UnitFileState} =~ /\Aenabled/;
    return @differences if $self->{stopped};

    my $runs = Systemd::is_active($state) || is_starting($state);
    return @differences, $say->( 'restart pending', 'restarted', 'restart' )
        if $runs && $self->restart_due( $unit, $state );
    return @differences, $say->( inactivity($state), 'started',  'start' ) if $self->{started} && !$self->is_up($state);
    return @differences, $say->( 'reload pending',   'reloaded', 'reload' )
        if Systemd::is_active($state) && $self->reload_due($unit);
    return @differences;
}

# With no-block a service may take its time to become active, e.g. until other hosts answer.
sub is_up ( $self, $state ) {
    return Systemd::is_active($state) || $self->{'no-block'} && is_starting($state);
}

sub is_starting ($state) { return $state->{ActiveState} eq 'activating' && $state->{SubState} ne 'auto-restart' }

sub is_enabled ($state) { return $state->{UnitFileState} =~ /\A(?:enabled|alias|indirect|generated)\z/ }

sub inactivity ($state) {
    return "$state->{ActiveState} ($state->{SubState})" if $state->{ActiveState} eq 'activating';
    return $state->{ActiveState};
}

# --- restarts and reloads

sub record ($self) { return State::record( Disk::content("${\RECORDS}/$self->{name}") ) }

sub write_record ( $self, %record ) {
    Disk::make_private(RECORDS);
    Disk::replace( "${\RECORDS}/$self->{name}", join '', map { "$_ $record{$_}\n" } sort keys %record );
}

# One line of text for the present state of a list of triggers; undef while one of them differs from the unit.
sub fingerprint ( $self, $unit, $list ) {
    my @parts;
    Disk::load_digests( grep { m{\A/} } @$list );
    for my $thing (@$list) {
        return undef if $unit->{differing}{$thing};
        my $value =
              $thing =~ /\Apackage:(.*)/ ? Dpkg::state($1)->{version}
            : $thing =~ /\Astep:/        ? $unit->step($thing)->digest($unit)
            : -l $thing                  ? '->' . readlink $thing
            :                              Disk::digest($thing);
        push @parts, $thing . '=' . ( $value // return undef );
    }
    return join ' ', @parts;
}

sub restart_due ( $self, $unit, $state ) {
    return 0 if !@{ $self->{restart_on} };
    my $wanted = $self->fingerprint( $unit, $self->{restart_on} ) // return 0;
    my $record = $self->record;
    return 1 if ( $record->{restart} // '' ) ne $wanted;
    return ( $record->{from} // '' ) eq $state->{InvocationID};
}

sub reload_due ( $self, $unit ) {
    return 0 if !@{ $self->{reload_on} };
    my $wanted = $self->fingerprint( $unit, $self->{reload_on} ) // return 0;
    return ( $self->record->{reload} // '' ) ne $wanted;
}

# Before anything is healed: drops what the record can no longer vouch for (see the top of this file).
sub plan ( $self, $unit, $is_wrong ) {
    my $record = $self->record;
    return if !%$record;
    my $same_process = ( $record->{invocation} // '' ) eq Systemd::state( $self->{name} )->{InvocationID};
    my %keep         = %$record;
    delete $keep{restart}      if !$same_process && grep { $is_wrong->($_) } @{ $self->{restart_on} };
    delete $keep{reload}       if grep                   { $is_wrong->($_) } @{ $self->{reload_on} };
    $self->write_record(%keep) if keys %keep < keys %$record;
}

# --- making it so

sub fix ( $self, $unit, @differences ) {
    my $name = $self->{name};
    for my $difference (@differences) {
        my $action = $difference->{action};
        Failure::throw("$difference->{is}: does the package that brings it stand on a line above?")
            if $action eq 'missing';
        Failure::throw("$difference->{is}: see `systemctl status $name`") if $action eq 'unreadable';
        if    ( $action eq 'start' || $action eq 'restart' ) { $self->start( $unit, $action ) }
        elsif ( $action eq 'reload' )                        { $self->reload($unit) }
        elsif ( $action eq 'enable' )                        { $self->enable }
        else                                                 { Systemd::must( $action, $name ) }
        $unit->say( $difference->{done} );
    }
    # Only after unmasking can the rest be seen.
    $self->fix( $unit, $self->differences($unit) ) if $differences[0]{action} eq 'unmask';
}

sub enable ($self) {
    Failure::throw("$self->{name} has no [Install] section, so it cannot be enabled: leave `enabled` out")
        if Systemd::state( $self->{name} )->{UnitFileState} eq 'static';
    Systemd::must( 'enable', $self->{name} );
}

sub start ( $self, $unit, $verb ) {
    my $name = $self->{name};
    Systemd::forget();    # what starts from now on starts with the right files, so it matters what runs now
    my $before = Systemd::state($name);
    my $joins  = $verb eq 'start' && ( Systemd::is_active($before) || is_starting($before) );    # somebody was faster
    my %record = (
        restart => $self->fingerprint( $unit, $self->{restart_on} ),
        reload  => $self->fingerprint( $unit, $self->{reload_on} ),
    );
    $self->write_record( %record, from => $before->{InvocationID} ) if !$joins;
    my $restarts = $verb eq 'restart' && Systemd::is_active($before);
    $self->run_hook( $unit, 'before' ) if $restarts;
    Systemd::control( 'reset-failed', $name );    # a start we mean is not one too many for systemd's limit on starts
    my $complaint  = Systemd::control( $verb, $name, $self->{'no-block'} ? '--no-block' : () );
    my $began      = Process::uptime();
    my $invocation = $self->confirm( $joins ? '' : $before->{InvocationID}, $complaint );
    if ( $restarts && $self->{after_restart} ) {
        $self->write_record( %record, from => $invocation ) if defined $invocation;    # due until the script is done
        $self->run_hook( $unit, 'after' );
    }
    $self->write_record( %record, invocation => $invocation ) if defined $invocation;
    push @{ $unit->{started} }, { service => $self, at => $began };
}

# Waits for a new invocation, and a moment more: many a service exits right after its start. Returns its id.
sub confirm ( $self, $old_invocation, $complaint ) {
    my $name = $self->{name};
    Failure::throw( "$name did not start: " . Systemd::diagnosis($name) . Report::excerpt( $complaint, 5 ) )
        if defined $complaint;
    my $begin = Process::uptime();
    while (1) {
        Systemd::forget();
        my $state = Systemd::state($name);
        my $fresh = $state->{InvocationID} ne $old_invocation;
        my $age   = Process::uptime() - $begin;
        Failure::throw( "$name did not stay up: " . Systemd::diagnosis($name) )
            if !$self->is_up($state) && ( $fresh || !$self->{'no-block'} );
        return $state->{InvocationID} if $fresh && $age > 0.2;
        return undef                  if $age > 5;
        Process::pause(0.1);
    }
}

sub run_hook ( $self, $unit, $when ) {
    my $script = $self->{"${when}_restart"} // return;
    my $limit  = 600;
    my $done   = Process::run_script( $unit->expand($script), $limit );
    my $what   = $when eq 'before' ? 'not restarted, because' : 'restarted, but';
    Failure::throw( "$what its $when-restart script failed (the restart stays due): "
            . Process::complaint( $done, $limit ) )
        if $done->{code};
}

sub reload ( $self, $unit ) {
    my $name = $self->{name};
    Failure::throw("$name cannot reload: use restart-on in place of reload-on")
        if Systemd::state($name)->{CanReload} ne 'yes';
    my $complaint = Systemd::control( 'reload', $name );
    Failure::throw( "$name did not reload: " . Systemd::diagnosis($name) . Report::excerpt( $complaint, 5 ) )
        if defined $complaint;
    my %record = %{ $self->record };
    $self->write_record( %record, reload => $self->fingerprint( $unit, $self->{reload_on} ) );
}

# What a unit has started must still be up when the unit is done, and for a second at least.
sub confirm_all ($unit) {
    for my $start ( @{ $unit->{started} // [] } ) {
        my $missing = SETTLED - ( Process::uptime() - $start->{at} );
        Process::pause($missing) if $missing > 0;
    }
    Systemd::forget();
    fail_fast( $unit, sub ( $service, $state ) { !$service->is_up($state) } );
}

# Ends a wait early when what it waits for has died.
sub fail_fast ( $unit, $is_down = sub ( $service, $state ) { $state->{ActiveState} eq 'failed' } ) {
    my @services = map { $_->{service} } @{ $unit->{started} // [] } or return;
    Systemd::forget();
    Systemd::load( map { $_->{name} } @services );
    for my $service (@services) {
        Failure::throw( "$service->{name} did not stay up: " . Systemd::diagnosis( $service->{name} ) )
            if $is_down->( $service, Systemd::state( $service->{name} ) );
    }
}
