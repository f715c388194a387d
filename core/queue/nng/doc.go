// Package nng moves records over the scalability protocols of NNG and nanomsg, as the
// NNGSocketHandler of Python's logging cookbook does.
//
// There are two patterns: publish and subscribe, where a publisher loses what a
// subscriber does not take in time, and pipeline, where whoever pushes waits for the one
// who pulls. Either end may listen or dial; the cookbook's handler publishes and dials.
//
// Only what goes over tls+tcp is encrypted. An address that other computers can reach must be
// allowed with AllowPlain, or want certificates of them over TLS.
package nng
