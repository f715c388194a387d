package packed

import (
	"encoding/binary"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// MessagePack reads a map. Binary data is text, extension types other than
// timestamps are nil. Values are those of JSON, see [core.Fields].
func MessagePack(data []byte) (core.Fields, error) {
	r := msgpack{buffer{data: data}}
	return fields(r.read())
}

type msgpack struct{ buffer }

func (r *msgpack) read() (any, error) {
	if err := r.value(); err != nil {
		return nil, err
	}
	c, err := r.byte()
	if err != nil {
		return nil, err
	}
	switch {
	case c < 0x80:
		return int64(c), nil
	case c < 0x90:
		return r.object(uint64(c&0xf), r.read)
	case c < 0xa0:
		return r.list(uint64(c&0xf), r.read)
	case c < 0xc0:
		return r.text(uint64(c & 0x1f))
	case c >= 0xe0:
		return int64(int8(c)), nil //nolint:gosec // a negative number of five bits
	}
	return r.marked(c)
}

// marked reads what follows a byte from 0xc0 to 0xdf.
func (r *msgpack) marked(c byte) (any, error) {
	switch c {
	case 0xc0:
		return nil, nil
	case 0xc2, 0xc3:
		return c == 0xc3, nil
	case 0xca:
		return r.float(4)
	case 0xcb:
		return r.float(8)
	case 0xcc, 0xcd, 0xce, 0xcf:
		n, err := r.uint(1 << (c - 0xcc))
		return whole(n), err
	case 0xd0, 0xd1, 0xd2, 0xd3:
		size := 1 << (c - 0xd0)
		n, err := r.uint(size)
		shift := 64 - 8*size
		return int64(n<<shift) >> shift, err //nolint:gosec // two's complement
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		return r.extension(1 << (c - 0xd4))
	}
	sizes := map[byte]int{
		0xc4: 1, 0xc5: 2, 0xc6: 4, 0xc7: 1, 0xc8: 2, 0xc9: 4, 0xd9: 1, 0xda: 2, 0xdb: 4, 0xdc: 2, 0xdd: 4, 0xde: 2, 0xdf: 4,
	}
	if sizes[c] == 0 {
		return nil, ErrMalformed
	}
	n, err := r.uint(sizes[c])
	if err != nil {
		return nil, err
	}
	switch c {
	case 0xc7, 0xc8, 0xc9:
		return r.extension(n)
	case 0xdc, 0xdd:
		return r.list(n, r.read)
	case 0xde, 0xdf:
		return r.object(n, r.read)
	}
	return r.text(n)
}

func (r *msgpack) extension(n uint64) (any, error) {
	kind, err := r.byte()
	if err != nil {
		return nil, err
	}
	p, err := r.take(n)
	if err != nil || int8(kind) != -1 { //nolint:gosec // the type is signed
		return nil, err
	}
	var sec, nanos int64
	switch len(p) {
	case 4:
		sec = int64(binary.BigEndian.Uint32(p))
	case 8:
		v := binary.BigEndian.Uint64(p)
		nanos, sec = int64(v>>34), int64(v&(1<<34-1)) //nolint:gosec // 30 and 34 bits
	case 12:
		nanos, sec = int64(binary.BigEndian.Uint32(p)), int64(binary.BigEndian.Uint64(p[4:])) //nolint:gosec // two's complement
	default:
		return nil, ErrMalformed
	}
	return time.Unix(sec, nanos).UTC().Format(time.RFC3339Nano), nil
}
