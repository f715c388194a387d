module github.com/logbook-tray/logbook-tray/core/benchmarks

go 1.26.0

require (
	github.com/logbook-tray/logbook-tray v0.0.0
	github.com/rs/zerolog v1.34.0
	go.uber.org/zap v1.27.0
)

require (
	github.com/mattn/go-colorable v0.1.13 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	go.uber.org/multierr v1.10.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/logbook-tray/logbook-tray => ../..
