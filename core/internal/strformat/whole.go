package strformat

import (
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"strconv"
)

// maxDigits bounds the whole numbers that are read from text. It is Python's
// own limit.
const maxDigits = 4300

// whole is a whole number of any size.
type whole struct {
	negative bool
	abs      uint64   // the number without its sign, if large is nil
	large    *big.Int // one that does not fit
}

func wholeOf(n int64) whole {
	if n < 0 {
		return whole{negative: true, abs: -uint64(n)}
	}
	return whole{abs: uint64(n)}
}

// appendAbs appends the digits without a sign.
func (w whole) appendAbs(dst []byte, base int) []byte {
	if w.large != nil {
		return new(big.Int).Abs(w.large).Append(dst, base)
	}
	return strconv.AppendUint(dst, w.abs, base)
}

// float returns the nearest float; ok is false if there is none.
func (w whole) float() (f float64, ok bool) {
	if w.large != nil {
		f, _ = new(big.Float).SetInt(w.large).Float64()
		return f, !math.IsInf(f, 0)
	}
	if f = float64(w.abs); w.negative {
		f = -f
	}
	return f, true
}

// toInt returns the value of any whole number. A bool is one, as in Python.
func toInt(v any) (whole, bool) {
	switch v := v.(type) {
	case int:
		return wholeOf(int64(v)), true
	case int64:
		return wholeOf(v), true
	case json.Number:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return wholeOf(n), true
		}
		if len(v) > maxDigits {
			return whole{}, false
		}
		n, ok := new(big.Int).SetString(string(v), 10)
		return largeWhole(n), ok
	case *big.Int:
		return largeWhole(v), v != nil
	}
	rv, ok := indirect(v)
	switch {
	case !ok:
		return whole{}, false
	case rv.CanInt():
		return wholeOf(rv.Int()), true
	case rv.CanUint():
		return whole{abs: rv.Uint()}, true
	case rv.Kind() == reflect.Bool:
		if rv.Bool() {
			return whole{abs: 1}, true
		}
		return whole{}, true
	}
	return whole{}, false
}

func largeWhole(n *big.Int) whole {
	if n == nil {
		return whole{}
	}
	return whole{negative: n.Sign() < 0, large: n}
}

// toFloat returns the value of any number with a fraction.
func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case json.Number:
		if _, whole := toInt(v); whole {
			return 0, false
		}
		f, err := v.Float64()
		return f, err == nil
	}
	rv, ok := indirect(v)
	if !ok || !rv.CanFloat() {
		return 0, false
	}
	if rv.Kind() == reflect.Float32 { // the shortest text, not that of the nearest float64
		f, _ := strconv.ParseFloat(strconv.FormatFloat(rv.Float(), 'g', -1, 32), 64)
		return f, true
	}
	return rv.Float(), true
}
