package commandapi_test

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"passbook/bank/account"
	"passbook/bank/commandapi"
	"passbook/bank/web"
	"passbook/es/aggregate"
)

func TestNew_Faults(t *testing.T) {
	t.Parallel()
	_, err := commandapi.New(commandapi.Config{CommandTimeout: -1})
	for _, member := range []string{"Repository", "Currency", "Version", "CommandTimeout"} {
		require.ErrorContains(t, err, "Config."+member)
	}
	require.NotContains(t, err.Error(), "Restores")
	for _, config := range []commandapi.Config{
		{Restores: &desk{}},
		{Head: func(context.Context) (int64, error) { return 0, nil }},
	} {
		_, err := commandapi.New(config)
		require.ErrorContains(t, err, "Config.Restores and Config.Head go together")
	}
}

func TestNew_MetricsTwice(t *testing.T) {
	t.Parallel()
	config := commandapi.Config{
		Repository: &aggregate.Repository[account.State]{}, Currency: currency(t, "EUR"), Version: "test",
		Metrics: prometheus.NewRegistry(),
	}
	_, err := commandapi.New(config)
	require.NoError(t, err)
	_, err = commandapi.New(config)
	require.ErrorContains(t, err, "commandapi: register metrics")
	config.Metrics = nil
	_, err = commandapi.New(config)
	require.NoError(t, err)
}

// Every code of a refusal is one that clients are told of.
func TestCodes(t *testing.T) {
	t.Parallel()
	for _, code := range []account.Code{
		account.CodeInvalidRequest, account.CodeAccountNotFound, account.CodeAccountExists, account.CodeAccountClosed,
		account.CodeInsufficientFunds, account.CodeBalanceLimit, account.CodeBalanceNotZero, account.CodeCurrencyMismatch,
	} {
		require.Contains(t, web.Codes(), web.Code(code))
	}
}
