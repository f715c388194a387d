package wire

import (
	"encoding/json"
	"math"
	"strconv"
)

func (p *scanner) digits() bool {
	start := p.i
	for p.i < len(p.s) && p.s[p.i]-'0' <= 9 {
		p.i++
	}
	return p.i > start
}

func (p *scanner) number() (any, error) {
	start := p.i
	if n, ok := p.integer(); ok {
		return n, nil
	}
	if p.accept('-') && p.word("Infinity") {
		return math.Inf(-1), nil
	}
	whole := p.i
	ok := p.digits() && (p.s[whole] != '0' || p.i == whole+1)
	plain := true
	if p.accept('.') {
		plain = false
		ok = p.digits() && ok
	}
	if ok && (p.accept('e') || p.accept('E')) {
		plain = false
		_ = p.accept('+') || p.accept('-')
		ok = p.digits()
	}
	if !ok {
		return nil, malformed("bad number", start)
	}
	text := p.s[start:p.i]
	if plain {
		return json.Number(text), nil
	}
	f, _ := strconv.ParseFloat(text, 64) // out of range is an infinity, as in Python
	return f, nil
}

func (p *scanner) accept(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

// integer reads a whole number that fits an int64; otherwise it does not move.
func (p *scanner) integer() (int64, bool) {
	i := p.i
	negative := i < len(p.s) && p.s[i] == '-'
	if negative {
		i++
	}
	first := i
	var n uint64
	for i < len(p.s) && p.s[i]-'0' <= 9 {
		n = n*10 + uint64(p.s[i]-'0')
		i++
	}
	digits := i - first
	if digits == 0 || digits > 18 && !fits(p.s[p.i:i]) || p.s[first] == '0' && digits > 1 {
		return 0, false
	}
	if i < len(p.s) {
		switch p.s[i] {
		case '.', 'e', 'E':
			return 0, false
		}
	}
	p.i = i
	if negative {
		return -int64(n), true //nolint:gosec // fits: at most 19 digits, checked
	}
	return int64(n), true //nolint:gosec // fits: at most 19 digits, checked
}

func fits(s string) bool {
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil
}
