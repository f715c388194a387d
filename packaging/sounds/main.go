// Command sounds makes the sound files under assets/sounds:
//
//	go run ./packaging/sounds
//
// Each is a few struck notes, calm for a warning, falling for an error, repeated for what
// is critical, so that they can be told apart without looking. They are uncompressed,
// since every player and every notification service reads that. The files are
// committed, so that a build needs none of this.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
)

const target = "assets/sounds"

func main() {
	if err := write(target, sounds()); err != nil {
		fmt.Fprintln(os.Stderr, "sounds:", err)
		os.Exit(1) //nolint:forbidigo // this is a main, too
	}
}

// rate is how many samples a second has: enough for these notes, which have nothing
// above 5 kHz.
const rate = 16_000

// note is a tone that begins at a time and fades away. All times are in seconds.
type note struct {
	at, pitch, loud float64
}

// The notes, in Hertz.
const (
	e4 = 329.63
	a4 = 440.00
	e5 = 659.26
	a5 = 880.00
)

// sounds returns the contents of all files by name.
func sounds() map[string][]byte {
	return map[string][]byte{
		"warning.wav":  wave(0.40, note{0, e5, 0.5}),
		"error.wav":    wave(0.60, note{0, a4, 0.6}, note{0.14, e4, 0.7}),
		"critical.wav": wave(0.90, note{0, a5, 0.6}, note{0.16, e5, 0.6}, note{0.36, a5, 0.7}, note{0.52, e5, 0.7}),
	}
}

// wave mixes notes into a WAV file of this length: one channel of 16 bits.
func wave(length float64, notes ...note) []byte {
	samples := make([]int16, int(length*rate))
	for i := range samples {
		at := float64(i) / rate
		var sum float64
		for _, n := range notes {
			sum += n.sample(at - n.at)
		}
		// No click at the end.
		sum *= min(1, (length-at)/0.02)
		samples[i] = int16(math.Round(max(-1, min(1, sum)) * math.MaxInt16))
	}
	return encode(samples)
}

// sample returns the note at a time after its beginning, from -1 to 1.
func (n note) sample(at float64) float64 {
	if at < 0 {
		return 0
	}
	// A bell: overtones that fade sooner than the note, and a soft beginning.
	var sum float64
	for i, part := range []float64{0.70, 0.22, 0.08} {
		k := float64(i + 1)
		sum += part * math.Exp(-7*k*at) * math.Sin(2*math.Pi*n.pitch*k*at)
	}
	return n.loud * sum * min(1, at/0.004)
}

// encode returns a WAV file.
func encode(samples []int16) []byte {
	size := uint32(2 * len(samples)) //nolint:gosec // a second
	var b bytes.Buffer
	for _, part := range []any{
		[]byte("RIFF"), 36 + size, []byte("WAVE"),
		[]byte("fmt "), uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16),
		[]byte("data"), size, samples,
	} {
		_ = binary.Write(&b, binary.LittleEndian, part) // to memory
	}
	return b.Bytes()
}

func write(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(dir, name), files[name], 0o644); err != nil { //nolint:gosec // everybody may listen
			return err
		}
	}
	return nil
}
