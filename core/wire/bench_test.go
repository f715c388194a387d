package wire_test

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/core/wire"
)

// typical is a record of 692 bytes, the size that the throughput of
// python3-logbook is quoted for.
func typical(tb testing.TB) []byte {
	tb.Helper()
	body := []byte(`{"channel": "shop.payment", "msg": "payment of {amount} declined for order {order}", "args": [], "kwargs": {"amount": "12.50", "order": 4711}, "level": 14, "extra": {"request_id": "b7c1f0e2", "user": "ann"}, "frame_correction": 0, "process": 16703, "heavy_initialized": true, "time": "2026-11-20T21:21:05.636109Z", "process_name": "MainProcess", "filename": "/srv/shop/payment.py", "exception_name": null, "exception_message": null, "greenlet": 140217920225728, "message": "payment of 12.50 declined for order 4711", "thread": 140217945497664, "lineno": 26, "thread_name": "MainThread", "func_name": "charge", "module": "shop.payment", "formatted_exception": null, "information_pulled": true}`)
	if n := len(body); n != 692 {
		tb.Fatalf("the record has %d bytes", n)
	}
	return body
}

func BenchmarkDecode692(b *testing.B) {
	body := typical(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodePlain(b *testing.B) {
	body := fixtures(b, "logbook-zmq-push")[0].body
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeStdlib(b *testing.B) {
	body := fixtures(b, "cookbook-zmq")[1].body
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend692(b *testing.B) {
	body := typical(b)
	r, err := wire.Decode(body)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		if buf, err = wire.Append(buf[:0], r); err != nil {
			b.Fatal(err)
		}
	}
}
