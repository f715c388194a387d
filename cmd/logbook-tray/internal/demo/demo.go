// Package demo plays a believable day of a small web shop's development
// servers, so that somebody who has no server at hand sees what logbook-tray
// does: chatter at debug level, a failing payment with everything that led up
// to it, and a storm of equal errors.
package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// Options says how the day is played.
type Options struct {
	// Speed divides all pauses; 0 means 1.
	Speed float64
	// Loop starts the day again when it is over, until ctx ends.
	Loop bool
	// Storm is how many equal errors the storm has; 0 means 500, less than
	// 0 leaves the storm out.
	Storm int
	// Seed makes two days equal; 0 means a different day each time.
	Seed uint64
}

// Play calls publish with each record of the day, at its time, until the day is over or
// ctx ends, and returns how many there were. It stops at the first error of
// publish.
func Play(ctx context.Context, o Options, publish func(context.Context, *core.Record) error) (int, error) {
	if o.Speed <= 0 {
		o.Speed = 1
	}
	if o.Storm == 0 {
		o.Storm = 500
	}
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
	p := &player{o: o, publish: publish, rand: rand.New(rand.NewPCG(o.Seed, 1)), order: 4711} //nolint:gosec // a story needs no secure randomness
	for {
		for _, scene := range []func(context.Context) error{p.startup, p.traffic, p.failedPayment, p.traffic, p.slowQuery, p.storm, p.traffic, p.workerDies} {
			if err := scene(ctx); err != nil {
				if errors.Is(err, context.Canceled) {
					err = nil // the day was cut short
				}
				return p.count, err
			}
		}
		if !o.Loop {
			return p.count, nil
		}
	}
}

type player struct {
	o       Options
	publish func(context.Context, *core.Record) error
	rand    *rand.Rand
	count   int
	order   int
}

// pause waits ms milliseconds, more or less.
func (p *player) pause(ctx context.Context, ms int) error {
	d := time.Duration(float64(ms) * (0.6 + 0.8*p.rand.Float64()) / p.o.Speed * float64(time.Millisecond))
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// process is one of the shop's servers.
type process struct {
	pid    int
	name   string
	thread string
}

var (
	web    = process{4101, "MainProcess", "worker-1"}
	worker = process{4188, "Worker-3", "MainThread"}
)

// line is one record of the story: file:line function of the source, then
// what it says.
type line struct {
	by      process
	level   core.Level
	channel string
	site    string
	msg     string
	kwargs  core.Fields
	extra   core.Fields
	exc     *core.Exception
}

func (p *player) say(ctx context.Context, l line) error {
	file, rest, _ := strings.Cut(l.site, ":")
	r := &core.Record{
		Channel: l.channel, Level: l.level, Msg: l.msg, Kwargs: l.kwargs, Extra: l.extra, Exception: l.exc,
		Time:    time.Now().UTC(),
		Process: core.Process{ID: l.by.pid, Name: l.by.name},
		Thread:  core.Thread{ID: int64(l.by.pid) << 20, Name: l.by.thread},
		Site:    core.Site{File: "/srv/shop/" + file, Module: strings.ReplaceAll(strings.TrimSuffix(file, ".py"), "/", ".")},
	}
	_, _ = fmt.Sscanf(rest, "%d %s", &r.Site.Line, &r.Site.Function)
	if err := p.publish(ctx, r); err != nil {
		return err
	}
	p.count++
	return nil
}

func (p *player) all(ctx context.Context, pause int, lines ...line) error {
	for _, l := range lines {
		if err := p.say(ctx, l); err != nil {
			return err
		}
		if err := p.pause(ctx, pause); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) startup(ctx context.Context) error {
	return p.all(ctx, 120,
		line{web, core.LevelInfo, "shop.web", "shop/web.py:31 main", "listening on http://127.0.0.1:8000 (development)", nil, nil, nil},
		line{web, core.LevelDebug, "shop.config", "shop/config.py:88 load", "loaded {n} settings from shop.toml", core.Fields{core.Kw("n", 42)}, nil, nil},
		line{web, core.LevelDebug, "shop.db", "shop/db.py:19 connect", "connected to postgresql://localhost/shop_dev, pool of 5", nil, nil, nil},
		line{worker, core.LevelInfo, "shop.worker", "shop/worker.py:57 run", "3 workers, queue 'mail' is empty", nil, nil, nil},
		line{web, core.LevelNotice, "shop.migrations", "shop/migrations.py:12 check", "2 migrations are not applied: 0041_sku, 0042_vat", nil, nil, nil},
	)
}

// request is a page view with the chatter that comes with it.
func (p *player) request(ctx context.Context, method, path string, status int) error {
	id := fmt.Sprintf("%08x", p.rand.Uint32())
	ms := 3 + p.rand.IntN(80)
	extra := core.Fields{{Key: "request_id", Value: id}, {Key: "ip", Value: "127.0.0.1"}}
	return p.all(ctx, 35,
		line{web, core.LevelDebug, "shop.web", "shop/web.py:112 dispatch", "{method} {path}", core.Fields{core.Kw("method", method), core.Kw("path", path)}, extra, nil},
		line{web, core.LevelTrace, "shop.db", "shop/db.py:74 execute", "SELECT id, name, price FROM product WHERE visible LIMIT 50", nil, extra, nil},
		line{web, core.LevelDebug, "shop.cache", "shop/cache.py:40 get", "hit products:index (ttl {ttl} s)", core.Fields{core.Kw("ttl", 5+p.rand.IntN(55))}, extra, nil},
		line{web, core.LevelInfo, "shop.web", "shop/web.py:131 dispatch", "{method} {path} {status} in {ms} ms", core.Fields{core.Kw("method", method), core.Kw("path", path), core.Kw("status", status), core.Kw("ms", ms)}, extra, nil},
	)
}

func (p *player) traffic(ctx context.Context) error {
	pages := []string{"/", "/products", "/products/17", "/cart", "/static/app.css", "/search?q=café", "/account"}
	for range 6 {
		if err := p.request(ctx, "GET", pages[p.rand.IntN(len(pages))], 200); err != nil {
			return err
		}
	}
	return nil
}

const declined = `Traceback (most recent call last):
  File "/srv/shop/shop/checkout.py", line 87, in pay
    receipt = gateway.charge(order.total, order.currency, token)
  File "/srv/shop/shop/gateway.py", line 140, in charge
    return self._post("/v1/charges", body)
  File "/srv/shop/shop/gateway.py", line 96, in _post
    raise PaymentDeclined(answer["message"])
shop.gateway.PaymentDeclined: card declined: insufficient funds`

func (p *player) failedPayment(ctx context.Context) error {
	p.order++
	extra := core.Fields{
		{Key: "request_id", Value: fmt.Sprintf("%08x", p.rand.Uint32())},
		{Key: "user", Value: "zoë@example.com"},
		{Key: "order", Value: int64(p.order)},
	}
	exc := &core.Exception{Name: "shop.gateway.PaymentDeclined", Message: "card declined: insufficient funds", Traceback: declined}
	return p.all(ctx, 60,
		line{web, core.LevelDebug, "shop.web", "shop/web.py:112 dispatch", "POST /checkout", nil, extra, nil},
		line{web, core.LevelDebug, "shop.cart", "shop/cart.py:58 total", "3 items, 129.90 EUR, VAT 19 %", nil, extra, nil},
		line{web, core.LevelTrace, "shop.db", "shop/db.py:74 execute", "INSERT INTO purchase (user_id, total) VALUES (17, 129.90) RETURNING id", nil, extra, nil},
		line{web, core.LevelInfo, "shop.checkout", "shop/checkout.py:61 reserve", "reserved stock for order {order}", core.Fields{core.Kw("order", p.order)}, extra, nil},
		line{web, core.LevelDebug, "shop.gateway", "shop/gateway.py:90 _post", "POST https://pay.example.com/v1/charges", nil, extra, nil},
		line{web, core.LevelWarning, "shop.gateway", "shop/gateway.py:93 _post", "gateway answered 402 after 812 ms", nil, extra, nil},
		line{web, core.LevelError, "shop.checkout", "shop/checkout.py:91 pay", "payment declined for order {order}", core.Fields{core.Kw("order", p.order)}, extra, exc},
	)
}

func (p *player) slowQuery(ctx context.Context) error {
	return p.all(ctx, 80,
		line{web, core.LevelDebug, "shop.reports", "shop/reports.py:22 monthly", "building the report of October", nil, nil, nil},
		line{
			web, core.LevelWarning, "shop.db", "shop/db.py:81 execute", "slow query: 2 340 ms for SELECT * FROM purchase JOIN line USING (purchase_id)", nil,
			core.Fields{{Key: "rows", Value: int64(48211)}, {Key: "plan", Value: map[string]any{"node": "Seq Scan", "cost": 18211.4}}},
			nil,
		},
	)
}

const refused = `Traceback (most recent call last):
  File "/srv/shop/shop/mailer.py", line 44, in send
    with smtplib.SMTP(self.host, self.port, timeout=5) as smtp:
  File "/usr/lib/python3.11/smtplib.py", line 255, in __init__
    (code, msg) = self.connect(host, port)
ConnectionRefusedError: [Errno 111] Connection refused`

func (p *player) storm(ctx context.Context) error {
	if p.o.Storm < 0 {
		return nil
	}
	exc := &core.Exception{Name: "builtins.ConnectionRefusedError", Message: "[Errno 111] Connection refused", Traceback: refused}
	if err := p.all(ctx, 100,
		line{worker, core.LevelInfo, "shop.worker", "shop/worker.py:70 next", "{n} newsletters to send", core.Fields{core.Kw("n", p.o.Storm)}, nil, nil},
		line{worker, core.LevelDebug, "shop.mailer", "shop/mailer.py:40 send", "connecting to localhost:25", nil, nil, nil},
	); err != nil {
		return err
	}
	for i := range p.o.Storm {
		l := line{
			worker, core.LevelError, "shop.mailer", "shop/mailer.py:47 send", "could not send newsletter {n} of {of}",
			core.Fields{core.Kw("n", i+1), core.Kw("of", p.o.Storm)},
			core.Fields{{Key: "attempt", Value: int64(1)}},
			exc,
		}
		if err := p.say(ctx, l); err != nil {
			return err
		}
		if i%50 == 49 {
			if err := p.pause(ctx, 50); err != nil {
				return err
			}
		}
	}
	return p.pause(ctx, 500)
}

func (p *player) workerDies(ctx context.Context) error {
	exc := &core.Exception{
		Name: "builtins.MemoryError", Message: "",
		Traceback: "Traceback (most recent call last):\n  File \"/srv/shop/shop/images.py\", line 29, in resize\n    pixels = bytearray(width * height * 4)\nMemoryError",
	}
	return p.all(ctx, 100,
		line{worker, core.LevelDebug, "shop.images", "shop/images.py:27 resize", "resizing 商品写真.jpg to 30000×20000 🖼", nil, nil, nil},
		line{
			worker, core.LevelCritical, "shop.worker", "shop/worker.py:91 run", "worker 3 is out of memory and stops", nil,
			core.Fields{{Key: "rss", Value: "7.8 GiB"}},
			exc,
		},
	)
}
