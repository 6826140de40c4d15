package testenv

import (
	"context"
	"crypto/rand"
	"database/sql"
	"net/url"
	"strings"

	"github.com/go-sql-driver/mysql"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// MongoDatabase returns the URL of a database that nobody else has, on the
// replica set of MongoDB. It is dropped when the test is over.
func MongoDatabase(t TB) string {
	t.Helper()
	front, query, _ := strings.Cut(MongoDB(t), "?") // no net/url: there are several hosts
	scheme, hosts, _ := strings.Cut(front, "://")
	hosts, _, _ = strings.Cut(hosts, "/")
	name := databaseName()
	address := scheme + "://" + hosts + "/" + name + "?" + query
	t.Cleanup(func() {
		if err := dropMongoDatabase(address, name); err != nil {
			t.Errorf("drop database %s: %v", name, err)
		}
	})
	return address
}

func dropMongoDatabase(address, name string) error {
	client, err := mongo.Connect(options.Client().ApplyURI(address))
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(context.Background()) }()
	return client.Database(name).Drop(context.Background())
}

// MySQLDatabase makes a database that nobody else has, on the server of MySQL,
// and returns its URL. It is dropped when the test is over. Its collation takes
// a for A and for ä, as databases have it that nobody thought about.
func MySQLDatabase(t TB) string {
	t.Helper()
	address, err := url.Parse(MySQL(t))
	if err != nil {
		fatalf(t, "%s: %v", mysqlVariable, err)
	}
	name := databaseName()
	if err := onMySQL(address, "CREATE DATABASE "+name+" COLLATE utf8mb4_0900_ai_ci"); err != nil {
		fatalf(t, "make database %s: %v", name, err)
	}
	t.Cleanup(func() {
		if err := onMySQL(address, "DROP DATABASE "+name); err != nil {
			t.Errorf("drop database %s: %v", name, err)
		}
	})
	own := *address
	own.Path = "/" + name
	return own.String()
}

// onMySQL runs a statement on a server, in none of its databases.
func onMySQL(server *url.URL, statement string) error {
	config := mysql.NewConfig()
	config.User = server.User.Username()
	config.Passwd, _ = server.User.Password()
	config.Net, config.Addr, config.TLSConfig = "tcp", server.Host, server.Query().Get("tls")
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }()
	_, err = db.Exec(statement)
	return err
}

func databaseName() string { return "passbook_test_" + strings.ToLower(rand.Text()) }
