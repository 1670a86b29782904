# What all directives share. A directive is read from the text once; `differences` then decides, for `check` and
# `apply` alike, whether this host is as the line says, and `fix` makes it so.
package Directive;

my %class_of;

sub register (%classes) { %class_of = ( %class_of, %classes ) }

sub class ($verb) { return $class_of{$verb} }

sub verbs () { return sort keys %class_of }

sub new ( $class, $statement, %fields ) {
    return bless { line => $statement->{number}, verb => $statement->{verb}, %fields }, $class;
}

# A difference: how it `is` (for check) and what is said when it is `done` (for apply).
sub difference ( $is, $done ) { return { is => $is, done => $done } }

# To be overridden:
sub label         ($self)                        { return $self->{verb} }    # names the directive in an error
sub differences   ( $self, $unit )               { return () }               # read-only
sub fix           ( $self, $unit, @differences ) { }                         # says what it does
sub inventory     ($self)          { return () }               # what a later text without this line has to remove
sub trigger       ($self)          { return $self->{path} }    # its name in a list of restart-on
sub starts_things ($self)          { return 0 }                # true: acts on running services, so comes after removals
sub prefetch      ( $self, $unit ) { }                         # for check: starts what takes time

# After `fix` nothing may differ; a directive whose fix is its own proof says so with an empty list.
sub left_over ( $self, $unit ) { return $self->differences($unit) }

sub say_done ( $self, $unit, @differences ) { $unit->say( $_->{done} ) for @differences }
