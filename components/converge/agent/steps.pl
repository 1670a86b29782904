# Named steps: `ensure "NAME" [timeout S]` with its `check` and `do` scripts, and `wait SECONDS "NAME"`.
package Directive::Ensure;
our @ISA = ('Directive');
Directive::register( ensure => __PACKAGE__ );

use constant CHECK_LIMIT => 10;

sub read ( $class, $statement, $unit, $following ) {
    my $self = $class->new( $statement, name => $statement->word('a name'), seconds => 60 );
    $self->{seconds} = $statement->seconds if $statement->has('timeout');
    for my $part (qw(check do)) {
        my $next = $following->[0];
        $statement->wrong("`ensure \"$self->{name}\"` needs a `$part <<'MARK'` line after it")
            if !$next || $next->{verb} ne $part;
        shift @$following;
        $self->{$part} = $unit->template( $next, 'the script' );
        $next->done;
    }
    $unit->claim( $statement, "step \"$self->{name}\"" );
    return $self;
}

sub label ($self) { return "ensure \"$self->{name}\"" }

sub trigger ($self) { return "step:$self->{name}" }

# What the step is about, as a digest: its scripts may hold secrets.
sub digest ( $self, $unit ) {
    my $path = Process::scratch_path('step');
    Disk::replace( $path, $unit->expand( $self->{check} . $self->{do} ), 0600 );
    my $digest = Disk::digest($path);
    Disk::remove($path);
    return $digest;
}

sub starts_things ($self) { return 1 }

# `check` is to be quick: a step that does not answer soon differs.
sub prefetch ( $self, $unit ) { $self->begin( $unit, $self->{seconds} < CHECK_LIMIT ? $self->{seconds} : CHECK_LIMIT ) }

sub begin ( $self, $unit, $limit ) {
    $self->{limit} = $limit;
    $self->{child} = Process::start_script( $unit->expand( $self->{check} ), $limit );
}

sub differences ( $self, $unit ) {
    $self->begin( $unit, $self->{seconds} ) if !$self->{child};
    my $done = Process::finish_script( delete $self->{child} );
    return if $done->{code} == 0;
    my $reason = $done->{timed_out} ? "no answer within $self->{limit} s" : Report::first_line( $done->{output} );
    my $is     = defined $reason    ? "$self->{name}: $reason"            : $self->{name};
    return Directive::difference( $is, defined $reason ? "$self->{name}: done ($reason)" : "$self->{name}: done" );
}

sub fix ( $self, $unit, @differences ) {
    my $done = Process::run_script( $unit->expand( $self->{do} ), $self->{seconds} );
    Failure::throw( 'its `do` script failed: ' . Process::complaint( $done, $self->{seconds} ) ) if $done->{code};
    $self->say_done( $unit, @differences );
}

package Directive::Wait;
our @ISA = ('Directive');
Directive::register( wait => __PACKAGE__ );

use constant { ONE_TRY => 10, INTERVAL => 0.5 };

sub read ( $class, $statement, $unit, $ ) {
    my $self = $class->new( $statement, seconds => $statement->seconds, name => $statement->word('a name') );
    $self->{script} = $unit->template( $statement, 'the script' );
    $unit->claim( $statement, "step \"$self->{name}\"" );
    return $self;
}

sub label ($self) { return "wait \"$self->{name}\"" }

sub starts_things ($self) { return 1 }

sub prefetch ( $self, $unit ) {
    my $limit = $self->{seconds} < ONE_TRY ? $self->{seconds} : ONE_TRY;
    $self->{child} = Process::start_script( $unit->expand( $self->{script} ), $limit );
}

sub differences ( $self, $unit ) {
    $self->prefetch($unit) if !$self->{child};
    my $done = Process::finish_script( delete $self->{child} );
    return if $done->{code} == 0;
    my $reason = Report::first_line("$done->{output}\n$done->{errors}");
    return Directive::difference( "$self->{name}: " . ( $reason // 'not so' ), $self->{name} );
}

sub fix ( $self, $unit, @differences ) {
    my $begin = Process::uptime();
    $unit->say("waiting up to $self->{seconds} s: $self->{name}");
    while (1) {
        my $left = int( $self->{seconds} - ( Process::uptime() - $begin ) );
        my $try  = $left > ONE_TRY ? ONE_TRY : $left < 1 ? 1 : $left;
        my $done = Process::run_script( $unit->expand( $self->{script} ), $try );
        last                                                                                      if $done->{code} == 0;
        Failure::throw( "not so after $self->{seconds} s: " . Process::complaint( $done, $try ) ) if $left < 1;
        Directive::Service::fail_fast($unit);
        Process::pause(INTERVAL);
    }
    $unit->say( sprintf '%s (after %.1f s)', $self->{name}, Process::uptime() - $begin );
}

sub left_over ( $self, $unit ) { return () }    # to wait was the proof
