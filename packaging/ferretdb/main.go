// Ferretdb serves the protocol of MongoDB from files of SQLite: FerretDB v1.24.2, whose
// own program cannot be built from its module, with little around it. The tests have it
// for a MongoDB, of which there is no package in Debian. It is a module of its own
// because what it is made of is of no use to anything else here.
//
//	ferretdb -dir DIRECTORY -listen 127.0.0.1:27017 [-cert FILE -key FILE]
//
// It is not MongoDB: cursors do not wait for what is new, there are no change streams and
// no indexes that let documents expire, whatever is not asked for by its _id alone is looked
// for in all documents, which takes 40 µs of a processor for each, a change of a document
// is not atomic, and it knows no users. A password is refused, unless the mechanism is
// PLAIN; then any is right. For what is asked for by its _id this program makes an index
// of SQLite, since that of FerretDB does not fit its own statements.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "ferretdb:", err)
		os.Exit(1)
	}
}

// run serves until the program is told to end.
func run() error {
	dir := flag.String("dir", "", "the directory for the databases, which is there")
	listen := flag.String("listen", "127.0.0.1:27017", "the address")
	cert := flag.String("cert", "", "a certificate, to speak TLS and nothing else")
	key := flag.String("key", "", "its key")
	clients := flag.String("clients", "", "the authority of the certificates that clients must have; empty: none")
	flag.Parse()
	if *dir == "" {
		return errors.New("-dir is missing")
	}
	full, err := filepath.Abs(*dir)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	config := &ferretdb.Config{
		Listener: ferretdb.ListenerConfig{TCP: *listen},
		Logger:   log,
		Handler:  "sqlite",
		// What was written survives the end of this program, and need not survive that
		// of the computer.
		SQLiteURL: "file:" + full + "/?_pragma=synchronous(off)",
	}
	if *cert != "" {
		config.Listener = ferretdb.ListenerConfig{TLS: *listen, TLSCertFile: *cert, TLSKeyFile: *key, TLSCAFile: *clients}
	}
	server, err := ferretdb.New(config)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var indexing sync.WaitGroup
	defer indexing.Wait()
	indexing.Go(func() { index(ctx, full, log) })
	defer stop()
	return server.Run(ctx)
}
