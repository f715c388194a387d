package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logbook-tray/logbook-tray/core/pipeline"
)

func TestTheContextWindowNamesEachHandlerAndBelowItTheReason(t *testing.T) {
	got := whyText([]pipeline.Step{
		{Handler: "desktop", Verdict: pipeline.VerdictBubbled, Outcome: pipeline.OutcomeLimited, Reason: "it bubbles", Inside: []pipeline.Step{
			{Handler: "desktop/notification", Verdict: pipeline.VerdictTook, Outcome: pipeline.OutcomeLimited, Reason: "a repeat"},
		}},
		{Handler: "rest", Verdict: pipeline.VerdictUnreached},
	}, "")
	want := `desktop:  bubbled, limited
      it bubbles
      desktop/notification:  took, limited
            a repeat
rest:  unreached
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
