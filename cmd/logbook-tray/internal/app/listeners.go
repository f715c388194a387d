package app

import "slices"

// Listener is a place where records are waited for, as the configuration has it.
type Listener struct {
	Type    string // "zeromq", "socket", ...
	Network string // of sockets: "", "tcp" or "unix"
	Address string // HOST:PORT, a path, or a ZeroMQ address
	Private bool   // who sends has to know a key or a token
	Pull    bool   // a ZeroMQ socket that is sent to
}

// Listeners returns where the configuration listens, in its order. It is what stands in
// the file now; with mistakes in it there may be less.
func (a *App) Listeners() []Listener {
	tree, _, err := a.o.load()
	if err != nil {
		return nil // said where it is loaded to be used
	}
	listen := tree.Root.Get("listen")
	if listen == nil {
		return nil
	}
	var list []Listener
	for _, item := range listen.Items {
		l := Listener{
			Type: item.Get("type").Text(), Network: item.Get("network").Text(), Address: item.Get("address").Text(),
			Pull: item.Get("mode").Text() == "pull" || item.Get("multi").Text() == "true",
		}
		if uri := item.Get("uri").Text(); uri != "" {
			l.Address = uri
		}
		l.Private = slices.ContainsFunc([]string{"token", "curve_secret_key", "tls_cert"}, func(key string) bool { return !item.Get(key).IsNull() })
		list = append(list, l)
	}
	return list
}
