package expression_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/expression"
)

func TestAMistakeSaysWhereItIs(t *testing.T) {
	for source, want := range map[string]string{
		`channel == "a" && levl > 3`:    "levl",
		`level >= "errror"`:             `"errror"`,
		`"größe" == channel && foo`:     "foo",
		`exception.nme == ""`:           "nme",
		`channel matches "("`:           "matches",
		`channel == "a" && message + 1`: "+",
	} {
		_, err := expression.Compile(source)
		var e *expression.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v is no *Error", source, err)
			continue
		}
		from, _ := e.Span()
		if got := string([]rune(source)[from:]); !strings.HasPrefix(got, want) {
			t.Errorf("%s: points at %q, want %q (%v)", source, got, want, err)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the message has several lines: %q", source, err)
		}
	}
}

func TestMissingExtraDataReadsAsEmptyAndHasNoOrder(t *testing.T) {
	for source, want := range map[string]bool{
		`extra.missing == ""`:                            true,
		`extra.missing.deeper == ""`:                     true,
		`extra.missing?.deeper == ""`:                    true,
		`extra["missing"] == ""`:                         true,
		`extra.missing > 5 || extra.missing < 5`:         false,
		`extra.env > 5`:                                  false, // a text and a number
		`extra.order >= 4711 && extra.order < 5000.5`:    true,
		`5000 > extra.order`:                             true,
		`"order" in extra && !("missing" in extra)`:      true,
		`extra.user.name startsWith "z"`:                 true,
		`len(extra.user) == 1`:                           true,
		`any(["env", "order"], extra[#] == "dev")`:       true,
		`(extra.missing ?? "x") == ""`:                   true,
		`extra.env == "dev" ? level > "info" : false`:    true,
		`time.Year() == 2026`:                            true,
		`lower(exception.short_name) == "declined"`:      true,
		`source.peer startsWith "tcp://"`:                true,
		`exception.traceback == "" && thread.name == ""`: true,
	} {
		failed := func(err error) { t.Errorf("%s: %v", source, err) }
		filter, err := expression.Options{OnError: failed}.Compile(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		r := record()
		r.Time = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
		if got := filter(r); got != want {
			t.Errorf("%s: got %v, want %v", source, got, want)
		}
	}
}

func TestWhatCannotBeEvaluatedDoesNotMatchAndIsReportedOnce(t *testing.T) {
	for _, source := range []string{
		`extra.order startsWith "4"`,                          // as a function
		`lower(string(extra.order)) == extra.order + 1 + "x"`, // on the machine
		`!(extra.order startsWith "4")`,
	} {
		var errs []error
		filter, err := expression.Options{OnError: func(err error) { errs = append(errs, err) }}.Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if filter(record()) {
				t.Errorf("%s: matches", source)
			}
		}
		if len(errs) != 1 || !strings.Contains(errs[0].Error(), source[:5]) || strings.Contains(errs[0].Error(), "\n") {
			t.Errorf("%s: reported %q", source, errs)
		}
	}
}

func TestAnExpressionCannotRunAway(t *testing.T) {
	for _, source := range []string{
		`all(1..1000000, all(1..1000000, all(1..1000000, # > 0)))`,
		`len(repeat(repeat("x", 100000), 100000)) > 0`,
		`len(map(1..900000, message)) > 0`,
		`reduce(1..1000, #acc + #acc, "x") != ""`,
		`let a = message + message; let b = a + a; b != ""`,
		`replace(message, "", message) != ""`,
		`any(1..4000, any(1..4000, message contains "y"))`,
	} {
		filter, err := expression.Compile(source)
		if err != nil {
			continue // refused at once
		}
		start := time.Now()
		filter(record())
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s: took %v", source, took)
		}
	}
	if _, err := expression.Compile(strings.Repeat("1+", 1500) + "1 > 0"); err == nil || !strings.Contains(err.Error(), "more than 300 parts") {
		t.Errorf("got %v, want an error about the size", err)
	}
}

func TestAFilterIsSafeForConcurrentUse(t *testing.T) {
	for _, source := range []string{`extra.env == "dev"`, `lower(extra.env) == "dev"`} {
		filter, err := expression.Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		r := record()
		r.Message()
		done := make(chan bool)
		for range 4 {
			go func() {
				ok := true
				for range 100 {
					ok = ok && filter(r)
				}
				done <- ok
			}()
		}
		for range 4 {
			if !<-done {
				t.Errorf("%s: did not match", source)
			}
		}
	}
}

func BenchmarkFilters(b *testing.B) {
	for name, source := range map[string]string{
		"level":   `level >= "error"`,
		"common":  `level >= "error" && channel startsWith "shop." && extra.env != "test"`,
		"regexp":  `message matches "order [0-9]+"`,
		"machine": `lower(channel) startsWith "shop." && extra.env != "test"`,
	} {
		filter, err := expression.Compile(source)
		if err != nil {
			b.Fatal(err)
		}
		r := record()
		r.Message()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				filter(r)
			}
		})
	}
}

func ExampleCompile() {
	filter, err := expression.Compile(`level >= "error" && channel startsWith "shop."`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(filter(&core.Record{Level: core.LevelError, Channel: "shop.checkout"}))
	fmt.Println(filter(&core.Record{Level: core.LevelInfo, Channel: "shop.checkout"}))
	// Output:
	// true
	// false
}
