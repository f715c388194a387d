package strformat

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// appendInt formats a whole number by a specification.
func appendInt(dst []byte, n whole, s, name string) ([]byte, error) {
	f, err := parseSpec(s, '>', 0, name)
	if err != nil {
		return dst, err
	}
	switch f.kind {
	case 'e', 'E', 'f', 'F', 'g', 'G', '%':
		v, ok := n.float()
		if !ok {
			return dst, errors.New("int too large to convert to float")
		}
		return appendFloatSpec(dst, v, f, name)
	case 'c':
		return appendChar(dst, n, f)
	}
	base, group, ok := baseOf(f.kind)
	switch {
	case !ok:
		return dst, unknownCode(f.kind, name)
	case f.precision >= 0:
		return dst, errors.New("Precision not allowed in integer format specifier") //nolint:staticcheck // Python's words
	case f.noNegZero:
		return dst, errors.New("Negative zero coercion (z) not allowed in integer format specifier") //nolint:staticcheck // Python's words
	}
	digits := n.appendAbs(make([]byte, 0, 24), base)
	prefix := ""
	if f.alternate && base != 10 {
		prefix = "0" + string(f.kind)
	}
	if f.kind == 'X' {
		digits = bytes.ToUpper(digits)
	}
	head := f.signOf(n.negative) + prefix
	digits = f.group(digits, group, len(head), 0)
	if head != "" {
		digits = append([]byte(head), digits...)
	}
	return f.pad(dst, digits, len(head)), nil
}

// baseOf returns the base of a type code and the size of its groups of digits.
func baseOf(kind rune) (base, group int, ok bool) {
	switch kind {
	case 0, 'd', 'n':
		return 10, 3, true
	case 'b':
		return 2, 4, true
	case 'o':
		return 8, 4, true
	case 'x', 'X':
		return 16, 4, true
	}
	return 0, 0, false
}

// signOf returns what stands before the digits.
func (f *spec) signOf(negative bool) string {
	switch {
	case negative:
		return "-"
	case f.sign == '+' || f.sign == ' ':
		return string(f.sign)
	}
	return ""
}

// group puts the separator between groups of size digits. Zeros that fill the
// width are grouped as well, so that the text never begins with a separator.
func (f *spec) group(digits []byte, size, head, tail int) []byte {
	if f.grouping == 0 {
		return digits
	}
	width := 0
	if f.fill == '0' && f.align == '=' {
		width = f.width - head - tail
	}
	count := len(digits)
	for count+(count-1)/size < width {
		count++
	}
	out := make([]byte, 0, count+count/size)
	for i := range count {
		if i > 0 && (count-i)%size == 0 {
			out = append(out, f.grouping)
		}
		if j := i - (count - len(digits)); j >= 0 {
			out = append(out, digits[j])
		} else {
			out = append(out, '0')
		}
	}
	return out
}

func appendChar(dst []byte, n whole, f spec) ([]byte, error) {
	switch {
	case f.precision >= 0:
		return dst, errors.New("Precision not allowed in integer format specifier") //nolint:staticcheck // Python's words
	case f.noNegZero:
		return dst, errors.New("Negative zero coercion (z) not allowed in integer format specifier") //nolint:staticcheck // Python's words
	case f.sign != 0:
		return dst, errors.New("Sign not allowed with integer format specifier 'c'") //nolint:staticcheck // Python's words
	case f.alternate:
		return dst, errors.New("Alternate form (#) not allowed with integer format specifier 'c'") //nolint:staticcheck // Python's words
	case n.negative || n.large != nil || n.abs > utf8.MaxRune:
		return dst, errors.New("%c arg not in range(0x110000)")
	}
	return f.pad(dst, utf8.AppendRune(nil, rune(n.abs)), 0), nil
}

// appendFloat formats a number by a specification.
func appendFloat(dst []byte, v float64, s, name string) ([]byte, error) {
	f, err := parseSpec(s, '>', 0, name)
	if err != nil {
		return dst, err
	}
	return appendFloatSpec(dst, v, f, name)
}

func appendFloatSpec(dst []byte, v float64, f spec, name string) ([]byte, error) {
	var digits string
	percent := ""
	precision := f.precision
	if precision < 0 {
		precision = 6
	}
	abs := math.Abs(v)
	switch f.kind {
	case 0:
		if f.precision < 0 {
			digits = floatRepr(abs)
			if f.alternate && !strings.ContainsAny(digits, ".ni") { // 1e+16
				digits = withPoint(digits)
			}
		} else {
			digits = general(abs, max(precision, 1), f.alternate, true)
		}
	case 'e', 'E':
		digits = fixedOrExponent(abs, 'e', precision, f.alternate)
	case 'f', 'F':
		digits = fixedOrExponent(abs, 'f', precision, f.alternate)
	case 'g', 'G', 'n':
		digits = general(abs, max(precision, 1), f.alternate, false)
	case '%':
		digits, percent = fixedOrExponent(abs*100, 'f', precision, f.alternate), "%"
	default:
		return dst, unknownCode(f.kind, name)
	}
	if f.kind == 'E' || f.kind == 'F' || f.kind == 'G' {
		digits = strings.ToUpper(digits)
	}
	negative := math.Signbit(v) && !math.IsNaN(v)
	if f.noNegZero && !strings.ContainsAny(mantissa(digits), "123456789ni") {
		negative = false
	}
	head := f.signOf(negative)
	whole := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
	if whole < 0 {
		whole = len(digits)
	}
	text := []byte(head)
	tail := digits[whole:] + percent
	if whole > 0 {
		text = append(text, f.group([]byte(digits[:whole]), 3, len(head), len(tail))...)
	}
	return f.pad(dst, append(text, tail...), len(head)), nil
}

// mantissa returns the digits before the exponent.
func mantissa(digits string) string {
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		return digits[:i]
	}
	return digits
}

// special returns Python's text of what is not a finite number.
func special(v float64) (string, bool) {
	switch {
	case math.IsNaN(v):
		return "nan", true
	case math.IsInf(v, 0):
		return "inf", true
	}
	return "", false
}

func fixedOrExponent(v float64, kind byte, precision int, alternate bool) string {
	if s, ok := special(v); ok {
		return s
	}
	s := strconv.FormatFloat(v, kind, precision, 64)
	if alternate && precision == 0 {
		s = withPoint(s)
	}
	return s
}

// withPoint puts a decimal point behind the whole digits.
func withPoint(s string) string {
	if i := strings.IndexByte(s, 'e'); i >= 0 {
		return s[:i] + "." + s[i:]
	}
	return s + "."
}

// general is the format g: precision significant digits, with an exponent if
// the number is very small or has more whole digits. point keeps a digit
// behind the point of a number without an exponent, which is the format of a
// precision without a type.
func general(v float64, precision int, alternate, point bool) string {
	if s, ok := special(v); ok {
		return s
	}
	e := strconv.FormatFloat(v, 'e', precision-1, 64)
	i := strings.IndexByte(e, 'e')
	exponent, _ := strconv.Atoi(e[i+1:])
	limit := precision
	if point {
		limit--
	}
	if exponent < -4 || exponent >= limit {
		digits := e[:i]
		if !alternate {
			digits = trimZeros(digits)
		} else if !strings.Contains(digits, ".") {
			digits += "."
		}
		return digits + e[i:]
	}
	s := strconv.FormatFloat(v, 'f', max(precision-1-exponent, 0), 64)
	if !alternate {
		s = trimZeros(s)
	}
	if !strings.Contains(s, ".") {
		if point {
			return s + ".0"
		}
		if alternate {
			return s + "."
		}
	}
	return s
}

func trimZeros(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// floatRepr returns Python's text of a number: the shortest that reads back as
// the same, with an exponent from 1e16 on and below 1e-4.
func floatRepr(v float64) string { return string(appendFloatRepr(nil, v)) }

func appendFloatRepr(dst []byte, v float64) []byte {
	if s, ok := special(v); ok {
		if v < 0 {
			dst = append(dst, '-')
		}
		return append(dst, s...)
	}
	abs := math.Abs(v)
	if abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
	if !bytes.Contains(dst[start:], []byte{'.'}) {
		dst = append(dst, ".0"...)
	}
	return dst
}
