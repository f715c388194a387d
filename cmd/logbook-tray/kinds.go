package main

import (
	"slices"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

// kinds is the table of everything that a configuration can name. CONFIGURATION.md
// has an example and all options of each; a test keeps the two together.
func kinds(a *app.App) pipeline.Kinds {
	return pipeline.Kinds{
		Sources: keepingRejected(a, slices.Concat(networkSources(), brokerSources(), localSources())),
		Handlers: slices.Concat(bufferKinds(), routingKinds(a), streamKinds(), fileKinds(), senderKinds(), brokerSenderKinds(), notifierKinds(a),
			pushKinds(a)),
		Processors: processorKinds(),
	}
}

// handlerKind is the row of the table for a handler with options of type O, of
// which defaults returns new ones.
func handlerKind[O any](name, doc string, defaults func() *O, build func(*pipeline.Env, *O) (core.Handler, error)) pipeline.HandlerKind {
	return pipeline.HandlerKind{
		Name: name, Doc: doc, Options: func() any { return defaults() },
		New: func(env *pipeline.Env, options any) (core.Handler, error) { return build(env, options.(*O)) },
	}
}

// processorKind is handlerKind for processors.
func processorKind[O any](name, doc string, defaults func() *O, build func(*pipeline.Env, *O) (core.Processor, error)) pipeline.ProcessorKind {
	return pipeline.ProcessorKind{
		Name: name, Doc: doc, Options: func() any { return defaults() },
		New: func(env *pipeline.Env, options any) (core.Processor, error) { return build(env, options.(*O)) },
	}
}

// listener and subscription are handlerKind for sources: those that wait for others to
// come, and those that go to fetch.
func listener[O any](name, doc string, build func(*pipeline.Env, *O) (pipeline.Opener, error)) pipeline.SourceKind {
	k := subscription(name, doc, build)
	k.Listen, k.Subscribe = true, false
	return k
}

func subscription[O any](name, doc string, build func(*pipeline.Env, *O) (pipeline.Opener, error)) pipeline.SourceKind {
	return pipeline.SourceKind{
		Name: name, Doc: doc, Subscribe: true, Options: func() any { return new(O) },
		New: func(env *pipeline.Env, options any) (pipeline.Opener, error) { return build(env, options.(*O)) },
	}
}

// plain are the options of a kind without defaults.
func plain[O any]() *O { return new(O) }
