// Package cluster runs passbook as an organisation does, as many processes on a
// replica set, three brokers and a MySQL server, breaks each of them and the
// network between them under load, and holds what is there afterwards against a
// ledger of its own: what the clients were told, and nothing else. It holds
// tests only.
//
//	cluster_test.go        TestCluster and its flags
//	engines_test.go        the engines: started, killed, started again
//	replicaset_test.go     MongoDB's members behind their proxies
//	proxies_test.go        the network, and what may be wrong with it
//	await_test.go          waiting for what has to happen
//	hooks_test.go          who is told over webhooks
//	bank_test.go           a bank's processes, databases and topic
//	load_test.go           clients that repeat until they know
//	ledger_test.go         what they were told
//	judge_test.go          the feed against the ledger
//	ledger_judge_test.go   does the judge see what is wrong?
//	judge_sides_test.go    read model, notifications and verify against it
//	*_scenario_test.go     what goes wrong, one file for each kind
package cluster
