package services_test

import (
	"errors"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/logbook-tray/logbook-tray/packaging/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inner are tests that run inside of one.
type inner func()

func (f inner) Run() int { f(); return 0 }

func TestRabbitMQStartsAgainAfterACrashAndLeavesNothing(t *testing.T) {
	var shared services.Shared
	var dir string
	code := shared.Main(inner(func() {
		b := shared.RabbitMQ(t)
		dir = b.Dir
		if again := shared.RabbitMQ(t); again != b {
			t.Error("a second one was started")
		}
		b.Kill()
		b.Restart(t)
	})).Run()
	if _, err := os.Stat(dir); code != 0 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("exit code %d, %s: %v", code, dir, err)
	}
}

func TestRedisStartsAgainAfterACrash(t *testing.T) {
	b := services.StartRedis(t, "--requirepass", "secret")
	b.Kill()
	b.Restart(t)
	services.StartRedisTLS(t)
}
