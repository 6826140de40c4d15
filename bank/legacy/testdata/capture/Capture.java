package com.asimkilic.account.common.events;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.springframework.kafka.support.serializer.*;

/**
 * Prints what the serializer of the Java system makes of its events, a line of JSON each, and reads every record back with
 * the deserializer that its query service has. The classes below have that system's names and members. Wants spring-kafka
 * 2.8.9 and jackson-databind 2.13.4, which Spring Boot 2.7.4 brings, and Java 17:
 *
 *   javac -cp 'lib/*' -d out Capture.java
 *   java -cp 'out:lib/*' com.asimkilic.account.common.events.Capture > ../golden.jsonl
 */
public class Capture {
  static final JsonSerializer<Object> out = new JsonSerializer<>();
  static final JsonDeserializer<Object> in = new JsonDeserializer<>();

  static String quote(String s) {
    StringBuilder b = new StringBuilder("\"");
    for (char c : s.toCharArray()) {
      if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') b.append(String.format("\\u%04x", (int) c)); else b.append(c);
    }
    return b.append('"').toString();
  }

  static void print(Object event, String id, long version, String more) {
    RecordHeaders headers = new RecordHeaders();
    String topic = event.getClass().getSimpleName();
    byte[] value = out.serialize(topic, headers, event);
    StringBuilder h = new StringBuilder();
    headers.forEach(x -> h.append(h.length() == 0 ? "" : ",").append(quote(x.key())).append(":").append(quote(new String(x.value(), StandardCharsets.UTF_8))));
    Object back = in.deserialize(topic, headers, value);
    if (back.getClass() != event.getClass() || !Arrays.equals(out.serialize(topic, new RecordHeaders(), back), value)) throw new AssertionError(topic);
    System.out.println("{\"topic\":" + quote(topic) + ",\"id\":" + quote(id) + ",\"version\":" + version + more
        + ",\"headers\":{" + h + "},\"value\":" + quote(new String(value, StandardCharsets.UTF_8)) + "}");
  }

  static void opened(String id, String holder, AccountType type, long created, String amount) {
    AccountOpenedEvent e = new AccountOpenedEvent();
    e.setId(id); e.setVersion(0); e.setAccountHolder(holder); e.setAccountType(type); e.setCreatedDate(new Date(created));
    e.setOpeningBalance(new BigDecimal(amount).doubleValue());
    print(e, id, 0, ",\"holder\":" + quote(holder) + ",\"type\":" + quote(type.name()) + ",\"created\":" + created + ",\"amount\":" + quote(amount));
  }

  static void deposited(String id, int version, String amount) {
    FundsDepositedEvent e = new FundsDepositedEvent();
    e.setId(id); e.setVersion(version); e.setAmount(new BigDecimal(amount).doubleValue());
    print(e, id, version, ",\"amount\":" + quote(amount));
  }

  static void withdrawn(String id, int version, String amount) {
    FundsWithdrawnEvent e = new FundsWithdrawnEvent();
    e.setId(id); e.setVersion(version); e.setAmount(new BigDecimal(amount).doubleValue());
    print(e, id, version, ",\"amount\":" + quote(amount));
  }

  public static void main(String[] args) {
    in.addTrustedPackages("*");
    String id = "97ebd5d8-9c2f-4dda-b59a-a1c62c20a6a8";
    opened(id, "John Doe", AccountType.SAVINGS, 1795328581949L, "50.00");
    opened("x", "<Zo\u00eb> \"&\\u2028\" \u2028\\ / ' \ud83d\ude00", AccountType.CURRENT, 0L, "0.00");
    opened("a.b_c-D", "\u00a0\u0416\u4e2d\u007e", AccountType.CURRENT, 4102444799999L, "999999999999.99");
    AccountClosedEvent closed = new AccountClosedEvent();
    closed.setId(id); closed.setVersion(2147483647);
    print(closed, id, 2147483647, "");
    List<String> amounts = new ArrayList<>(List.of("0.01", "0.10", "1", "20", "100.10", "137.30", "999.99", "1000.00", "9999999.99", "10000000.00",
        "10000000.01", "12345678.90", "100000000", "123456789012", "999999999999.99", "0.001", "0.002", "0.005", "0.010", "2.002", "1234567890.123",
        "999999999999"));
    Random random = new Random(5);
    for (int i = 0; i < 500; i++) {
      int decimals = i % 10 == 0 ? 3 : i % 10 == 1 ? 0 : 2;
      long units = 1 + (long) Math.pow(10, random.nextDouble() * (11.9 + decimals));
      amounts.add(BigDecimal.valueOf(units, decimals).toPlainString());
    }
    int version = 1;
    for (String amount : amounts) {
      if (version % 2 == 0) deposited(id, version, amount); else withdrawn(id, version, amount);
      version++;
    }
  }
}

class AccountOpenedEvent {
  private String id;
  private int version;
  private String accountHolder;
  private AccountType accountType;
  private Date createdDate;
  private double openingBalance;
  public String getId() { return id; }
  public void setId(String id) { this.id = id; }
  public int getVersion() { return version; }
  public void setVersion(int version) { this.version = version; }
  public String getAccountHolder() { return accountHolder; }
  public void setAccountHolder(String accountHolder) { this.accountHolder = accountHolder; }
  public AccountType getAccountType() { return accountType; }
  public void setAccountType(AccountType accountType) { this.accountType = accountType; }
  public Date getCreatedDate() { return createdDate; }
  public void setCreatedDate(Date createdDate) { this.createdDate = createdDate; }
  public double getOpeningBalance() { return openingBalance; }
  public void setOpeningBalance(double openingBalance) { this.openingBalance = openingBalance; }
}

class FundsDepositedEvent {
  private String id;
  private int version;
  private double amount;
  public String getId() { return id; }
  public void setId(String id) { this.id = id; }
  public int getVersion() { return version; }
  public void setVersion(int version) { this.version = version; }
  public double getAmount() { return amount; }
  public void setAmount(double amount) { this.amount = amount; }
}

class FundsWithdrawnEvent {
  private String id;
  private int version;
  private double amount;
  public String getId() { return id; }
  public void setId(String id) { this.id = id; }
  public int getVersion() { return version; }
  public void setVersion(int version) { this.version = version; }
  public double getAmount() { return amount; }
  public void setAmount(double amount) { this.amount = amount; }
}

class AccountClosedEvent {
  private String id;
  private int version;
  public String getId() { return id; }
  public void setId(String id) { this.id = id; }
  public int getVersion() { return version; }
  public void setVersion(int version) { this.version = version; }
}

enum AccountType {
  SAVINGS,
  CURRENT
}
