package main

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"strings"
	"testing"
)

func TestTheLibraryForwardsItsOneName(t *testing.T) {
	f, err := pe.NewFile(bytes.NewReader(library()))
	if err != nil {
		t.Fatal(err)
	}
	header, ok := f.OptionalHeader.(*pe.OptionalHeader64)
	if !ok || len(f.Sections) != 1 || f.Characteristics&pe.IMAGE_FILE_DLL == 0 {
		t.Fatalf("header %T, %d sections, characteristics %#x", f.OptionalHeader, len(f.Sections), f.Characteristics)
	}
	data, err := f.Sections[0].Data()
	if err != nil {
		t.Fatal(err)
	}
	table := header.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_EXPORT]
	if table.VirtualAddress != f.Sections[0].VirtualAddress || int(table.Size) > len(data) {
		t.Errorf("the table is at %#x, %d bytes", table.VirtualAddress, table.Size)
	}
	text := func(field int) string {
		at := binary.LittleEndian.Uint32(data[field:]) - table.VirtualAddress
		s, _, _ := strings.Cut(string(data[at:]), "\x00")
		return s
	}
	functions := int(binary.LittleEndian.Uint32(data[28:]) - table.VirtualAddress)
	names := int(binary.LittleEndian.Uint32(data[32:]) - table.VirtualAddress)
	if got := [3]string{text(12), text(names), text(functions)}; got != [3]string{name, exported, forwarded} {
		t.Errorf("the library says %q", got)
	}
}
