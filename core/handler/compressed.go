package handler

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/logbook-tray/logbook-tray/core"
)

// A Codec is a compressed format for [NewCompressedFile]. [Gzip] is one, the
// package handler/brotli has another.
type Codec struct {
	// Name is for error texts.
	Name string
	// Writer compresses to w. Flush must make everything readable that was
	// written so far.
	Writer func(w io.Writer) (CodecWriter, error)
	// Reader decompresses what Writer made.
	Reader func(r io.Reader) (io.Reader, error)
	// Concatenates says that files put behind each other are a file again.
	Concatenates bool
}

// CodecWriter is the compressing side of a [Codec].
type CodecWriter interface {
	io.WriteCloser
	Flush() error
}

// Gzip returns the gzip format at a level from 1, fast, to 9, small; 0 is the default of 6.
func Gzip(level int) Codec {
	if level == 0 {
		level = gzip.DefaultCompression
	}
	return Codec{
		Name:         "gzip",
		Writer:       func(w io.Writer) (CodecWriter, error) { return gzip.NewWriterLevel(w, level) },
		Reader:       func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		Concatenates: true,
	}
}

// CompressedFileOptions says what [NewCompressedFile] makes.
type CompressedFileOptions struct {
	// File is the file that is written to. The name is taken as it is.
	File FileOptions
	// Codec is the format; the default is [Gzip] of its default level.
	Codec Codec
	// Buffered leaves it to the codec when to write. The file gets smaller, and
	// a crash loses what was not written; otherwise every record is in the file
	// when Handle returns.
	Buffered bool
}

// CompressedFile is a [File] that is compressed as it is written. With gzip it is
// Logbook's GZIPCompressionHandler.
//
// A file that is there is appended to. If a crash has left it without a proper end,
// what can be read of it is saved first, since a decompressor would stop there.
type CompressedFile struct {
	lines fileLines
	o     CompressedFileOptions

	mu   sync.Mutex
	file *logFile
	z    CodecWriter // nil while the file is not open
}

var (
	_ core.Handler = (*CompressedFile)(nil)
	_ core.Flusher = (*CompressedFile)(nil)
	_ io.Closer    = (*CompressedFile)(nil)
)

// NewCompressedFile opens the file, unless it is to be delayed, and returns a
// handler that writes to it.
func NewCompressedFile(o CompressedFileOptions) (*CompressedFile, error) {
	if o.Codec.Writer == nil {
		o.Codec = Gzip(0)
	}
	delay := o.File.Delay
	o.File.Delay = true
	file, err := newLogFile(o.File)
	if err != nil {
		return nil, err
	}
	f := &CompressedFile{lines: fileLines{newLines(o.File.Formatter)}, o: o, file: file}
	if delay {
		return f, nil
	}
	return f, f.open()
}

// Handle writes r.
func (f *CompressedFile) Handle(_ context.Context, r *core.Record) error {
	b, err := f.lines.line(r)
	defer f.lines.release(b)
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(err, f.write(*b))
}

func (f *CompressedFile) write(line []byte) error {
	if err := f.open(); err != nil {
		return err
	}
	_, err := f.z.Write(line)
	if err == nil && !f.o.Buffered {
		err = f.z.Flush()
	}
	if err == nil {
		return nil
	}
	// The stream has a hole now. The next record begins a sound one.
	f.z = nil
	return errors.Join(fileError("write log file", f.file.o.Path, err), f.file.release())
}

// open opens the file, and does nothing if it is open.
func (f *CompressedFile) open() error {
	if f.z != nil {
		return nil
	}
	saved, err := f.salvage()
	if err != nil {
		return err
	}
	if err := f.file.open(); err != nil {
		return err
	}
	f.file.o.Mode = "a" // a mode of "w" was for the start
	z, err := f.o.Codec.Writer(rawWriter{f.file})
	if err != nil {
		return fmt.Errorf("open log file %q: %w", f.file.o.Path, err)
	}
	f.z = z
	if saved == "" {
		return nil
	}
	return f.restore(saved)
}

// salvage looks at a file that is to be appended to. If that cannot be done as it
// is, the file is put aside, and its new name is returned.
func (f *CompressedFile) salvage() (saved string, err error) {
	path := f.file.o.Path
	if f.file.closed || f.file.o.Mode == "w" {
		return "", nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && (info.Size() == 0 || !info.Mode().IsRegular()) {
		return "", nil
	}
	if err != nil {
		return "", fileError("look at log file", path, err)
	}
	if f.o.Codec.Concatenates && f.copyOf(path, io.Discard) == nil {
		return "", nil
	}
	saved = path + ".damaged"
	if err := rename(path, saved); err != nil {
		return "", err
	}
	return saved, nil
}

// restore writes what can be read of the file that was put aside into the new one.
func (f *CompressedFile) restore(saved string) error {
	counted := &countingWriter{w: f.z}
	err := f.copyOf(saved, counted)
	if counted.err != nil { // could not write; what can be read is still there
		return fileError("restore log file", f.file.o.Path, counted.err)
	}
	if err != nil && counted.n == 0 {
		return nil // not in this format at all: it stays where it is
	}
	if err := f.z.Flush(); err != nil {
		return fileError("restore log file", f.file.o.Path, err)
	}
	return removeIfThere(saved)
}

// copyOf decompresses a file as far as it goes.
func (f *CompressedFile) copyOf(path string, to io.Writer) (err error) {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	r, err := f.o.Codec.Reader(in)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, r)
	return err
}

// Flush writes what the codec holds back.
func (f *CompressedFile) Flush(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.z == nil {
		return nil
	}
	if err := f.z.Flush(); err != nil {
		return fileError("write log file", f.file.o.Path, err)
	}
	return nil
}

// Close ends the compressed data and closes the file.
func (f *CompressedFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	if f.z != nil {
		if zerr := f.z.Close(); zerr != nil {
			err = fileError("write log file", f.file.o.Path, zerr)
		}
		f.z = nil
	}
	return errors.Join(err, f.file.close())
}

// rawWriter writes to the file without a thought of lines.
type rawWriter struct{ f *logFile }

func (w rawWriter) Write(p []byte) (int, error) { return w.f.file.Write(p) }

type countingWriter struct {
	w   io.Writer
	n   int64
	err error
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.err = err
	return n, err
}
