# JSON output. Perl does not tell numbers from strings, so whoever means a number or a boolean says so.
package Json;

sub number ($value) { return literal($value) }

sub boolean ($value) { return literal( $value ? 'true' : 'false' ) }

sub literal ($text) { return bless \( my $copy = "$text" ), 'Json::Literal' }

sub encode ($value) {
    my $kind = ref $value;
    return $$value                                             if $kind eq 'Json::Literal';
    return '[' . join( ',', map { encode($_) } @$value ) . ']' if $kind eq 'ARRAY';
    return string($value)                                      if $kind eq '';
    return '{' . join( ',', map { string($_) . ':' . encode( $value->{$_} ) } sort keys %$value ) . '}';
}

# Text is bytes everywhere in this program; what is no UTF-8 reads as Latin-1.
sub string ($bytes) {
    return 'null' if !defined $bytes;
    my $text = $bytes;
    utf8::decode($text);
    $text =~ s/(["\\])/\\$1/g;
    $text =~ s/([^\x20-\x7e])/escape( ord $1 )/ge;
    return qq("$text");
}

sub escape ($code) {
    return sprintf '\\u%04x', $code if $code < 0x10000;
    $code -= 0x10000;
    return sprintf '\\u%04x\\u%04x', 0xd800 + ( $code >> 10 ), 0xdc00 + ( $code & 0x3ff );
}
