package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

func TestTheCommittedSoundsAreThoseThatAreMade(t *testing.T) {
	dir := filepath.Join("..", "..", target)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := sounds()
	if len(entries) != len(files) {
		t.Errorf("%d files in %s, want %d", len(entries), target, len(files))
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%v; run: make sounds", err)
			continue
		}
		if !same(got, want) {
			t.Errorf("%s is not as it is made; run: make sounds", name)
		}
	}
}

// headerSize is the length of all that is before the samples.
const headerSize = 44

// same compares two files, but for the last bit of a sample, which is not the same on
// every processor.
func same(a, b []byte) bool {
	if len(a) != len(b) || !bytes.Equal(a[:headerSize], b[:headerSize]) {
		return false
	}
	for i := headerSize; i+1 < len(a); i += 2 {
		x, y := int16(binary.LittleEndian.Uint16(a[i:])), int16(binary.LittleEndian.Uint16(b[i:]))
		if max(x, y)-min(x, y) > 1 {
			return false
		}
	}
	return true
}

func TestASoundIsShortAndNeitherSilentNorClipped(t *testing.T) {
	for name, file := range sounds() {
		if len(file) > 32<<10 || len(file) <= headerSize || (len(file)-headerSize)/2 > rate {
			t.Errorf("%s has %d bytes, want less than a second", name, len(file))
			continue
		}
		loudest, last := int16(0), int16(0)
		for i := headerSize; i+1 < len(file); i += 2 {
			last = int16(binary.LittleEndian.Uint16(file[i:]))
			loudest = max(loudest, last, -last)
		}
		if loudest < 8_000 || loudest == 32_767 {
			t.Errorf("%s is %d loud", name, loudest)
		}
		if last > 100 || last < -100 {
			t.Errorf("%s ends at %d, which is heard as a click", name, last)
		}
	}
}
