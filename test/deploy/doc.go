// Package deploy holds what lies in deploy/ against what it is written for: the
// tools that read it, the program that it starts, and the engines that the
// program is led to. It holds tests only.
//
//	manifest_test.go          what the tools make of the files; manifest/ is the program that asks them
//	planted_test.go           … and that they refuse what is wrong
//	image_test.go             the image
//	settings_test.go          are the settings real ones
//	compose_test.go           the Compose files, in themselves
//	compose_kafka_test.go     … their brokers, of both kinds
//	kubernetes_test.go        the overlays, in themselves
//	kubernetes_pods_test.go   … what pods may do
//	kubernetes_ways_test.go   … ports, secrets, ways through the network
//	kubernetes_scale_test.go  … scaling and alarms
//	engines_test.go           MongoDB, Kafka and MySQL that let nobody in without a password
//	run_test.go               the services, started by their command lines on these engines
//	mongodb_init_test.go      the script that makes the replica set
package deploy
