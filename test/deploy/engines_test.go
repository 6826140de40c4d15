package deploy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"passbook/internal/testenv"
)

// engines are MongoDB with users, three Kafka brokers, and MySQL, of this test's
// own: names of databases, topics and groups can be those of the deployment.
type engines struct {
	folder string
	// secrets is what the script for Compose has made.
	secrets map[string]string
	mongodb string // host:port
	mysql   string
	kafka   []string // they let everybody in
	guarded []string // the same brokers, with a password and TLS
	issuer  []byte   // PEM; who vouches for them there
}

const (
	kafkaUser     = "passbook"
	kafkaPassword = "kafka-password"
)

func startEngines(t *testing.T) *engines {
	t.Helper()
	switch os.Getenv("PASSBOOK_TEST_ENGINES") {
	case "start":
	case "off":
		t.Skip("real engines are switched off: PASSBOOK_TEST_ENGINES=off")
	default:
		testenv.Skip(t, "engines of the test's own: set PASSBOOK_TEST_ENGINES=start")
	}
	secrets := makeSecrets(t)
	e := &engines{folder: t.TempDir(), secrets: readAll(t, secrets)}
	// As the Compose file does: mongod wants the key file for itself alone.
	key := filepath.Join(e.folder, "keyfile")
	require.NoError(t, os.WriteFile(key, []byte(e.secrets["mongodb-keyfile"]), 0o400))
	require.NoError(t, os.Mkdir(filepath.Join(e.folder, "mongodb"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(e.folder, "mongodb", "arguments"), []byte("--keyFile\n"+key+"\n"), 0o600))
	var pairs []string
	for range 3 {
		addr := testenv.FreeAddr(t)
		e.guarded = append(e.guarded, addr)
		pairs = append(pairs, addr+"="+addr)
	}
	t.Cleanup(func() { e.script(t, "stop", "--remove") })
	e.script(t, "start", "mongodb")
	e.script(t, "start", "--nosync", "mysql")
	e.script(t, "start", "--nodes", "3", "--proxied", strings.Join(pairs, ","), "kafka")
	e.place(t)
	e.addMongoUsers(t)
	e.addMySQLUsers(t, secrets)
	e.addKafkaUser(t)
	return e
}

func (e *engines) script(t *testing.T, command string, args ...string) string {
	t.Helper()
	run := exec.Command(filepath.Join(top, "scripts", "engines"), append([]string{command, "--folder", e.folder}, args...)...)
	run.Env = append(os.Environ(), "PASSBOOK_ENGINES_KAFKA_PROPERTIES="+e.properties(t))
	said, err := run.CombinedOutput()
	if run.ProcessState.ExitCode() == 3 { // the machine cannot have one of them
		testenv.Skip(t, string(said))
	}
	require.NoError(t, err, "%s", said)
	return string(said)
}

func (e *engines) place(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(e.script(t, "pids")) {
		fields := strings.Fields(line) // engine, node, process, port
		addr := "127.0.0.1:" + fields[3]
		switch fields[0] {
		case "mongodb":
			e.mongodb = addr
		case "mysql":
			e.mysql = addr
		case "kafka":
			e.kafka = append(e.kafka, addr)
		}
	}
	require.Len(t, e.kafka, 3)
}

// properties has the brokers ask for a password and show a certificate at their
// second listener.
func (e *engines) properties(t *testing.T) string {
	t.Helper()
	path := filepath.Join(e.folder, "kafka.properties")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	chain, key := e.certificate(t)
	inline := func(text []byte) string { return strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", `\n`) }
	// Whoever comes without a name may do everything, this test and the brokers
	// among themselves; whoever has one, what he was allowed.
	const at = "listener.name.proxied."
	text := "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:SASL_SSL\n" +
		"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\nsuper.users=User:ANONYMOUS\n" +
		at + "sasl.enabled.mechanisms=SCRAM-SHA-512\n" +
		at + "scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;\n" +
		at + "ssl.keystore.type=PEM\n" + at + "ssl.keystore.certificate.chain=" + inline(chain) + "\n" + at + "ssl.keystore.key=" + inline(key) + "\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// certificate makes an issuer, and a certificate of it for this machine.
func (e *engines) certificate(t *testing.T) (chain, key []byte) {
	t.Helper()
	template := func(serial int64, name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		}
	}
	ours, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	issuer := template(1, "issuer")
	issuer.IsCA, issuer.BasicConstraintsValid, issuer.KeyUsage = true, true, x509.KeyUsageCertSign
	signed, err := x509.CreateCertificate(rand.Reader, issuer, issuer, ours.Public(), ours)
	require.NoError(t, err)
	e.issuer = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed})

	theirs, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	broker := template(2, "broker")
	broker.IPAddresses, broker.ExtKeyUsage = []net.IP{net.IPv4(127, 0, 0, 1)}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	signed, err = x509.CreateCertificate(rand.Reader, broker, issuer, theirs.Public(), ours)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(theirs)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
}

// addMongoUsers makes the users that mongodb-init.js makes, with the same roles.
func (e *engines) addMongoUsers(t *testing.T) {
	t.Helper()
	create := func(login, user string, role any) {
		client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + login + e.mongodb + "/?replicaSet=rs0"))
		require.NoError(t, err)
		defer func() { _ = client.Disconnect(t.Context()) }()
		require.NoError(t, client.Database("admin").RunCommand(t.Context(), bson.D{
			{Key: "createUser", Value: user}, {Key: "pwd", Value: e.secrets["mongodb-"+user+"-password"]}, {Key: "roles", Value: bson.A{role}},
		}).Err())
	}
	create("", "root", "root")
	create("root:"+e.secrets["mongodb-root-password"]+"@", "passbook", bson.D{{Key: "role", Value: "readWrite"}, {Key: "db", Value: "passbook"}})
}

// addMySQLUsers runs the script of the Compose file, with what the image's entry
// point hands to it.
func (e *engines) addMySQLUsers(t *testing.T, secrets string) {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(deployment, "compose", "mysql-init.sh"))
	require.NoError(t, err)
	statements, err := exec.Command("bash", "-euc", "docker_process_sql() { cat; }\n"+
		strings.ReplaceAll(string(script), "/run/secrets", secrets)).CombinedOutput()
	require.NoError(t, err, "%s", statements)
	config, err := mysql.ParseDSN("passbook:passbook@tcp(" + e.mysql + ")/?multiStatements=true")
	require.NoError(t, err)
	connector, err := mysql.NewConnector(config)
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), string(statements))
	require.NoError(t, err)
}

func (e *engines) addKafkaUser(t *testing.T) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(e.kafka...))
	require.NoError(t, err)
	defer client.Close()
	altered, err := kadm.NewClient(client).AlterUserSCRAMs(t.Context(), nil, []kadm.UpsertSCRAM{
		{User: kafkaUser, Mechanism: kadm.ScramSha512, Iterations: 4096, Password: kafkaPassword},
	})
	require.NoError(t, err)
	require.NoError(t, altered.Error())
	// What docs/production.md says.
	for _, rights := range []*kadm.ACLBuilder{
		kadm.NewACLs().Topics("account-events").ResourcePatternType(kadm.ACLPatternPrefixed).
			Operations(kadm.OpCreate, kadm.OpDescribe, kadm.OpDescribeConfigs, kadm.OpRead, kadm.OpWrite, kadm.OpDelete),
		kadm.NewACLs().Groups("bankaccConsumer", "accNotifyConsumer").Operations(kadm.OpRead),
	} {
		results, err := kadm.NewClient(client).CreateACLs(t.Context(), rights.Allow("User:"+kafkaUser).AllowHosts("*"))
		require.NoError(t, err)
		for _, result := range results {
			require.NoError(t, result.Err)
		}
	}
}

// eventStore and database are the URLs of the deployment, with the places where
// the engines are here.
func (e *engines) eventStore(t *testing.T) string {
	t.Helper()
	front, query, _ := strings.Cut(e.secrets["event-store"], "?")
	login, _, _ := strings.Cut(front, "@")
	require.Contains(t, query, "replicaSet=passbook")
	return login + "@" + e.mongodb + "/passbook?" + strings.Replace(query, "replicaSet=passbook", "replicaSet=rs0", 1)
}

func (e *engines) database(t *testing.T, secret string) string {
	t.Helper()
	address, err := url.Parse(e.secrets[secret])
	require.NoError(t, err)
	require.Equal(t, "mysql:3306", address.Host)
	return fmt.Sprintf("mysql://%s@%s%s", address.User, e.mysql, address.Path)
}
