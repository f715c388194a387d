package wire

import "encoding/binary"

// spellingSize is the most bytes that a spelling has, and the least that a text has which it is
// looked for in.
const spellingSize = 24

// beginning is how a text begins, in words.
type beginning struct{ first, second, third uint64 }

// begin returns the beginning of d, which has spellingSize bytes at least.
func begin(d []byte) beginning {
	d = d[:spellingSize]
	return beginning{binary.LittleEndian.Uint64(d), binary.LittleEndian.Uint64(d[8:]), binary.LittleEndian.Uint64(d[16:])}
}

// spelling is a short text that is found by comparing whole words.
type spelling struct {
	size        int
	text, masks beginning
}

func spell(text string) spelling {
	var d, m [spellingSize]byte
	for i := range copy(d[:], text) {
		m[i] = 0xff
	}
	return spelling{len(text), begin(d[:]), begin(m[:])}
}

// starts reports whether a text that begins with b starts with s.
func (s *spelling) starts(b beginning) bool {
	return (b.first^s.text.first)&s.masks.first|
		(b.second^s.text.second)&s.masks.second|
		(b.third^s.text.third)&s.masks.third == 0
}
