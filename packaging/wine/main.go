// Command wine writes bcryptprimitives.dll, which programs made by Go need and Wine 8
// does not have, into a folder, to be put beside a program that is to run under it:
//
//	go run ./packaging/wine DIR
//
// All that is in it is the name ProcessPrng, which stands for the random numbers of
// another library of the system. See packaging/test-windows.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: wine DIR")
		os.Exit(2) //nolint:forbidigo // this is a main, too
	}
	if err := os.WriteFile(filepath.Join(os.Args[1], name), library(), 0o644); err != nil { //nolint:gosec // a library
		fmt.Fprintln(os.Stderr, "wine:", err)
		os.Exit(1) //nolint:forbidigo // as above
	}
}

const (
	name     = "bcryptprimitives.dll"
	exported = "ProcessPrng"
	// Its first two arguments are the same, and it says 1 for success too.
	forwarded = "advapi32.SystemFunction036"

	alignment = 0x1000 // of sections in memory
	fileAlign = 0x200
	optional  = 240 // the length of the optional header of 64 bits
)

// library returns a library that consists of a table of exports with one entry, which is
// forwarded; see https://learn.microsoft.com/windows/win32/debug/pe-format.
func library() []byte {
	section := exports(alignment)
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&b, binary.LittleEndian, v) // to memory
		}
	}
	dos := make([]byte, 64)
	copy(dos, "MZ")
	dos[60] = 64 // where the header proper begins
	put(dos, []byte("PE\x00\x00"))
	// The machine, sections, time, symbols (2), length of the next header, and what it
	// is: a library that can be run, for 64 bits.
	put(uint16(0x8664), uint16(1), uint32(0), uint32(0), uint32(0), uint16(optional), uint16(0x2022))
	put(uint16(0x20b), uint16(0), uint32(0), uint32(fileAlign), uint32(0), uint32(0), uint32(0)) // no code
	put(uint64(0x180000000), uint32(alignment), uint32(fileAlign))
	put(uint16(6), uint16(0), uint16(0), uint16(0), uint16(6), uint16(0), uint32(0)) // versions
	put(uint32(2*alignment), uint32(fileAlign), uint32(0), uint16(2), uint16(0x100)) // sizes, window system
	put(uint64(0x100000), uint64(0x1000), uint64(0x100000), uint64(0x1000), uint32(0), uint32(16))
	put(uint32(alignment), uint32(len(section)), make([]uint32, 30)) // the table of exports, and 15 that are empty
	put([]byte(".edata\x00\x00"), uint32(len(section)), uint32(alignment), uint32(fileAlign), uint32(fileAlign))
	put(make([]uint32, 3), uint32(0x40000040)) // data that can be read
	put(make([]byte, fileAlign-b.Len()))
	put(section, make([]byte, fileAlign-len(section)))
	return b.Bytes()
}

// exports returns a table of exports for this address.
func exports(at uint32) []byte {
	const table, lists = 40, 4 + 4 + 2
	texts := []string{name, exported, forwarded}
	addresses := make([]uint32, len(texts))
	next := at + table + lists
	for i, s := range texts {
		addresses[i] = next
		next += uint32(len(s) + 1) //nolint:gosec // a few letters
	}
	var b bytes.Buffer
	for _, v := range []any{
		uint32(0), uint32(0), uint32(0), addresses[0],
		uint32(1), uint32(1), uint32(1), // the first number, functions, names
		at + table, at + table + 4, at + table + 8,
		addresses[2], addresses[1], uint16(0),
	} {
		_ = binary.Write(&b, binary.LittleEndian, v) // to memory
	}
	for _, s := range texts {
		b.WriteString(s + "\x00")
	}
	return b.Bytes()
}
