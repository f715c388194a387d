package pickle

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// Append appends v to dst as a pickle of protocol 2, which every Python since 2.3
// reads. Whole numbers, floats, text, lists, maps and [core.Fields] become what they
// are in Python, times text of ISO 8601, and everything else its text.
func Append(dst []byte, v any) []byte {
	return append(appendValue(append(dst, 0x80, 2), v, 0), '.')
}

func appendValue(dst []byte, v any, depth int) []byte {
	if depth > MaxDepth {
		return appendText(dst, cutOff)
	}
	switch v := v.(type) {
	case nil:
		return append(dst, 'N')
	case bool:
		if v {
			return append(dst, 0x88)
		}
		return append(dst, 0x89)
	case int:
		return appendInt(dst, int64(v))
	case int64:
		return appendInt(dst, v)
	case float64:
		return binary.BigEndian.AppendUint64(append(dst, 'G'), math.Float64bits(v))
	case string:
		return appendText(dst, v)
	case time.Time:
		return appendText(dst, v.UTC().Format("2006-01-02T15:04:05.000000Z"))
	case json.Number:
		return appendNumber(dst, v)
	case []any:
		dst = append(dst, ']', '(')
		for _, e := range v {
			dst = appendValue(dst, e, depth+1)
		}
		return append(dst, 'e')
	case map[string]any:
		dst = append(dst, '}', '(')
		for _, key := range slices.Sorted(maps.Keys(v)) {
			dst = appendValue(appendText(dst, key), v[key], depth+1)
		}
		return append(dst, 'u')
	case core.Fields:
		dst = append(dst, '}', '(')
		for _, f := range v {
			dst = appendValue(appendText(dst, f.Key), f.Value, depth+1)
		}
		return append(dst, 'u')
	}
	return appendText(dst, fmt.Sprint(v))
}

func appendText(dst []byte, s string) []byte {
	s = strings.ToValidUTF8(s, "\ufffd")
	return append(binary.LittleEndian.AppendUint32(append(dst, 'X'), uint32(len(s))), s...) //nolint:gosec // records are bounded
}

func appendInt(dst []byte, n int64) []byte {
	if n == int64(int32(n)) { //nolint:gosec // that is the question
		return binary.LittleEndian.AppendUint32(append(dst, 'J'), uint32(n)) //nolint:gosec // two's complement
	}
	return binary.LittleEndian.AppendUint64(append(dst, 0x8a, 8), uint64(n)) //nolint:gosec // two's complement
}

// appendNumber writes a whole number beyond int64, and any other as a float.
func appendNumber(dst []byte, v json.Number) []byte {
	n, ok := new(big.Int).SetString(string(v), 10)
	if !ok || len(v) > maxDigits {
		f, err := v.Float64()
		if err != nil {
			return appendText(dst, string(v))
		}
		return appendValue(dst, f, 0)
	}
	size := n.BitLen()/8 + 1 // with room for the sign
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size))) //nolint:gosec // bounded by the digits
	}
	b := n.FillBytes(make([]byte, size))
	slices.Reverse(b)
	dst = binary.LittleEndian.AppendUint32(append(dst, 0x8b), uint32(size)) //nolint:gosec // bounded by the digits
	return append(dst, b...)
}
