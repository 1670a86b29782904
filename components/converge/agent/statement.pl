# The lexical part of the unit language: a text becomes statements, each of words and, if it ends in <<'MARK', a body.
package Statement;

# All statements of TEXT up to `end`. A text without it was cut short on its way here, and what it does not
# name any more would be removed: so it is refused.
sub all ($text) {
    Failure::throw( 'the text has a NUL byte', Converge::USAGE ) if $text =~ /\0/;
    my @lines  = split /\n/, $text, -1;
    my $number = 0;
    my @statements;
    while ( $number < @lines ) {
        my $line = $lines[ $number++ ];
        next if $line =~ /\A[ \t]*(?:#|\z)/;
        my $self = bless { number => $number }, 'Statement';
        $self->wrong('the line ends in a carriage return: lines end in a newline alone') if $line =~ /\r\z/;
        my $mark = $line =~ s/[ \t]+<<'([A-Z0-9_]+)'[ \t]*\z// ? $1 : undef;
        $self->{words} = [ $self->split_words($line) ];
        $self->{verb}  = shift @{ $self->{words} };
        if ( $self->{verb} eq 'end' ) {
            $self->done;
            return @statements if !grep { /\S/ } @lines[ $number .. $#lines ];
            $self->wrong('there is more text after `end`');
        }
        push @statements, $self;
        next if !defined $mark;
        my $first = $number;
        $number++ while $number < @lines && $lines[$number] ne $mark;
        $self->wrong("the text that begins with <<'$mark' has no line `$mark` at its end") if $number >= @lines;
        $self->{body} = join '', map { "$_\n" } @lines[ $first .. $number - 1 ];
        $number++;
    }
    Failure::throw( 'the last line is not `end`: the text did not arrive whole. Run again', Converge::USAGE );
}

sub split_words ( $self, $line ) {
    my @words;
    while ( $line =~ /\G[ \t]*(?:"((?:[^"\\]|\\.)*)"(?=[ \t]|\z)|([^\s"]+)(?=[ \t]|\z))/gc ) {
        my ( $quoted, $bare ) = ( $1, $2 );
        $self->wrong("\\$1 in a quoted word: only \\\" and \\\\ are known")
            if defined $quoted && $quoted =~ /(?<!\\)(?:\\\\)*\\([^"\\])/;
        $self->wrong("`$bare`: a text block begins with <<'MARK' (capitals, digits, _) at the end of its line")
            if defined $bare && $bare =~ /\A<</;
        push @words, defined $quoted ? $quoted =~ s/\\(.)/$1/gr : $bare;
    }
    my $left = substr $line, pos($line) // 0;
    $self->wrong("cannot read `$left`: quotes stand around whole words, and control characters nowhere")
        if $left =~ /\S/;
    $self->wrong('@{…} stands in file contents and scripts only') if grep { /\@\{/ } @words;
    return @words;
}

sub wrong ( $self, $message ) {
    Failure::throw( "line $self->{number}: $message", Converge::USAGE );
}

# Takes the next word, which has to be there and to match.
sub word ( $self, $what, $pattern = qr/.+/s ) {
    my $word = shift @{ $self->{words} };
    $self->wrong("`$self->{verb}`: $what is missing")     if !defined $word || $word eq '';
    $self->wrong("`$self->{verb}`: `$word` is not $what") if $word !~ /\A$pattern\z/;
    return $word;
}

# Takes the next word if it is KEYWORD.
sub has ( $self, $keyword ) {
    return 0 if !@{ $self->{words} } || $self->{words}[0] ne $keyword;
    shift @{ $self->{words} };
    return 1;
}

sub is_next ( $self, @keywords ) {
    my $next = $self->{words}[0] // return 0;
    return grep { $_ eq $next } @keywords;
}

sub more ($self) { return scalar @{ $self->{words} } }

sub path ( $self, $what = 'an absolute path without . or .. in it' ) {
    return $self->word( $what, qr{(?:/(?!\.{1,2}(?:/|\z))[^/[:cntrl:]]+)+} );
}

sub mode ($self) { return oct $self->word( 'a mode in octal digits, e.g. 0640', qr/0?[0-7]{3,4}/ ) }

sub owner ($self) {
    my ( $user, $group ) = split /:/, $self->word( 'an owner as USER:GROUP', qr/[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+/ );
    return ( user => $user, group => $group );
}

sub seconds ($self) { return 0 + $self->word( 'a number of seconds from 1 to 86400', qr/[1-9][0-9]{0,4}/ ) }

sub body ( $self, $what ) {
    return delete $self->{body} // $self->wrong("`$self->{verb}`: $what is missing: end the line in <<'MARK'");
}

# Nothing may be left over.
sub done ($self) {
    $self->wrong("`$self->{verb}`: unexpected `$self->{words}[0]`") if @{ $self->{words} };
    $self->wrong("`$self->{verb}` takes no text block")             if defined $self->{body};
    return $self;
}
