package main

import (
	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

// kinds is the table of everything that a configuration can name.
func kinds(a *app.App) pipeline.Kinds {
	return pipeline.Kinds{
		Sources: []pipeline.SourceKind{
			{Name: "zeromq", Doc: "Logbook's ZeroMQHandler", Listen: true, Subscribe: true, Options: func() any { return new(zeromqOptions) }, New: newZeroMQ},
		},
		Handlers: []pipeline.HandlerKind{
			{Name: "fingers_crossed", Doc: "holds records back until a severe one comes", Options: func() any { return defaultFingersCrossed() }, New: newFingersCrossed},
			{Name: "notification", Doc: "a desktop notification that leads to the context", Options: func() any { return new(notificationOptions) }, New: newNotification(a)},
			{Name: "null", Doc: "a blackhole: records end here", New: newNull},
			{Name: "stderr", Doc: "lines on stderr, in colour on a terminal", Options: func() any { return new(stderrOptions) }, New: newStderr},
		},
		Processors: []pipeline.ProcessorKind{
			{Name: "set", Doc: "sets extra data", Options: func() any { return new(setOptions) }, New: newSet},
		},
	}
}
