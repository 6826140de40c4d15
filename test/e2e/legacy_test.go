package e2e_test

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"passbook/internal/testenv"
)

// The Java system's topics get what its query service needs, to the byte, from
// version-1 commands.
func TestLegacyTopics(t *testing.T) {
	t.Parallel()
	p := testenv.Start(t, t.TempDir(), "--legacy-topics", "on")
	p.AwaitReady(t.Context())
	id := open(t, p, "John Doe", 50)
	status, _, _ := call(t, http.MethodPut, p.Command+"/api/v1/depositFunds/"+id, `{"amount":100.1}`)
	require.Equal(t, http.StatusOK, status)
	status, _, _ = call(t, http.MethodPut, p.Command+"/api/v1/depositFunds/"+id, `{"amount":10000000}`)
	require.Equal(t, http.StatusOK, status)
	status, _, _ = call(t, http.MethodPut, p.Command+"/api/v1/withdrawFunds/"+id, `{"amount":20}`)
	require.Equal(t, http.StatusOK, status)
	status, _, _ = call(t, http.MethodDelete, p.Command+"/api/v1/closeBankAccount/"+id, "")
	require.Equal(t, http.StatusOK, status)

	reader, err := kgo.NewClient(kgo.SeedBrokers(p.Broker), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.MetadataMinAge(10*time.Millisecond), kgo.MetadataMaxAge(time.Second),
		kgo.ConsumeTopics("AccountOpenedEvent", "FundsDepositedEvent", "FundsWithdrawnEvent", "AccountClosedEvent"))
	require.NoError(t, err)
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var lines []string
	for len(lines) < 5 {
		fetches := reader.PollFetches(ctx)
		require.NoError(t, ctx.Err(), "%v", lines)
		fetches.EachRecord(func(r *kgo.Record) {
			require.Equal(t, id, string(r.Key))
			require.Len(t, r.Headers, 1)
			require.Equal(t, "__TypeId__", r.Headers[0].Key)
			require.Equal(t, "com.asimkilic.account.common.events."+r.Topic, string(r.Headers[0].Value))
			lines = append(lines, r.Topic+" "+aDate.ReplaceAllString(string(r.Value), `"createdDate":MS`))
		})
	}
	slices.Sort(lines)
	require.Equal(t, []string{
		`AccountClosedEvent {"id":"` + id + `","version":4}`,
		`AccountOpenedEvent {"id":"` + id + `","version":0,"accountHolder":"John Doe","accountType":"SAVINGS","createdDate":MS,"openingBalance":50.0}`,
		`FundsDepositedEvent {"id":"` + id + `","version":1,"amount":100.1}`,
		`FundsDepositedEvent {"id":"` + id + `","version":2,"amount":1.0E7}`,
		`FundsWithdrawnEvent {"id":"` + id + `","version":3,"amount":20.0}`,
	}, lines)
	requireBalanceGone(t, p, id)
}

// requireBalanceGone waits until version 1 does not find an account any more.
func requireBalanceGone(t *testing.T, p *testenv.Passbook, id string) {
	t.Helper()
	require.Eventually(t, func() bool {
		status, _, _ := call(t, http.MethodGet, p.Query+"/api/v1/bankAccountLookup/byId/"+id, "")
		return status == http.StatusNoContent
	}, time.Minute, 5*time.Millisecond)
}

var aDate = regexp.MustCompile(`"createdDate":\d{13}`)
