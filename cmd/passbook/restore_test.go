package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// restoring is a command service whose one restore ends as told, so that a
// failure can be had without breaking a read model.
func restoring(t *testing.T, states ...string) string {
	t.Helper()
	var asked atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v2/read-model/restores", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		_, _ = fmt.Fprint(w, `{"id":"r1","state":"running","events":0,"total":0}`)
	})
	mux.HandleFunc("GET /api/v2/read-model/restores/r1", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, states[min(int(asked.Add(1)), len(states))-1])
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

const (
	restoreHalf   = `{"id":"r1","state":"running","events":1000,"total":2000}`
	restoreDone   = `{"id":"r1","state":"done","events":2000,"total":2000}`
	restoreFailed = `{"id":"r1","state":"failed","events":1000,"total":2000,"error":"stream a1 is parked"}`
	restoreBegun  = "restore r1 has begun; it goes on without this program, and \"passbook restore --follow r1\" shows it again\n"
)

func TestRestore(t *testing.T) {
	for name, c := range map[string]struct {
		states         []string
		args           []string
		code           int
		stdout, stderr string
	}{
		"Done": {
			states: []string{restoreHalf, restoreDone}, stdout: "restore r1 is done: the read model was built again from 2,000 events\n",
			stderr: restoreBegun + "restore: 50 %  1,000 of 2,000\nrestore: 100 %  2,000 of 2,000\n",
		},
		"Failed": {
			states: []string{restoreFailed}, code: exitNo,
			stderr: restoreBegun + "restore: 50 %  1,000 of 2,000\n" +
				"passbook: restore r1 failed, and the read model is as it was before: stream a1 is parked\n",
		},
		"JSON": {states: []string{restoreDone}, args: []string{"--json"}, stdout: restoreDone + "\n", stderr: restoreBegun + "restore: 100 %  2,000 of 2,000\n"},
		"FailedAsJSON": {
			states: []string{restoreFailed}, args: []string{"--json"}, code: exitNo, stdout: restoreFailed + "\n",
			stderr: restoreBegun + "restore: 50 %  1,000 of 2,000\n" +
				"passbook: restore r1 failed, and the read model is as it was before: stream a1 is parked\n",
		},
		"Follow": {
			states: []string{restoreDone}, args: []string{"--follow", "r1"}, stdout: "restore r1 is done: the read model was built again from 2,000 events\n",
			stderr: "restore: 100 %  2,000 of 2,000\n",
		},
		"FollowUnknown": {
			states: []string{restoreDone}, args: []string{"--follow", "r2"}, code: exitNo,
			stderr: "passbook: the command service at URL answered 404 Not Found, and not in the way of this API\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := restoring(t, c.states...)
			var stdout, stderr bytes.Buffer
			code := execute(append([]string{"restore", "--command-url", url}, c.args...), &stdout, &stderr)
			require.Equal(t, c.code, code, stderr.String())
			require.Equal(t, c.stdout, stdout.String())
			require.Equal(t, c.stderr, string(bytes.ReplaceAll(stderr.Bytes(), []byte(url), []byte("URL"))))
		})
	}
}
