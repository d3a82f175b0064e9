using System.Net;
using Hyperlight.Programs;
using Hyperlight.Programs.Network;

namespace Hyperlight.Tests.Programs;

internal sealed class ProgramNetworkTests
{
    [TestCase("0.0.0.0", true)]
    [TestCase("10.1.2.3", true)]
    [TestCase("100.64.0.1", true)]
    [TestCase("100.128.0.1", false)]
    [TestCase("127.0.0.1", true)]
    [TestCase("168.63.129.16", true)]
    [TestCase("168.63.129.17", false)]
    [TestCase("169.254.169.254", true)]
    [TestCase("172.16.0.1", true)]
    [TestCase("172.32.0.1", false)]
    [TestCase("192.168.1.1", true)]
    [TestCase("192.169.0.1", false)]
    [TestCase("192.0.0.1", true)]
    [TestCase("192.0.1.1", false)]
    [TestCase("192.0.2.1", true)]
    [TestCase("192.88.99.1", true)]
    [TestCase("198.51.100.1", true)]
    [TestCase("203.0.113.1", true)]
    [TestCase("239.255.255.255", true)]
    [TestCase("240.0.0.1", true)]
    [TestCase("9.255.255.255", false)]
    [TestCase("11.0.0.0", false)]
    [TestCase("126.255.255.255", false)]
    [TestCase("128.0.0.0", false)]
    [TestCase("169.253.255.255", false)]
    [TestCase("172.15.255.255", false)]
    [TestCase("198.17.255.255", false)]
    [TestCase("198.19.255.255", true)]
    [TestCase("198.20.0.0", false)]
    [TestCase("223.255.255.255", false)]
    [TestCase("198.18.0.1", true)]
    [TestCase("224.0.0.1", true)]
    [TestCase("255.255.255.255", true)]
    [TestCase("8.8.8.8", false)]
    [TestCase("::", true)]
    [TestCase("::1", true)]
    [TestCase("::ffff:10.0.0.1", true)]
    [TestCase("::ffff:8.8.8.8", false)]
    [TestCase("64:ff9b::a00:1", true)]
    [TestCase("::ffff:127.0.0.1", true)]
    [TestCase("::ffff:169.254.169.254", true)]
    [TestCase("::127.0.0.1", true)]
    [TestCase("64:ff9b:1::1", true)]
    [TestCase("100::1", true)]
    [TestCase("2001::1", true)]
    [TestCase("2001:1ff:ffff::1", true)]
    [TestCase("2001:200::1", false)]
    [TestCase("2001:db8::1", true)]
    [TestCase("3fff::1", true)]
    [TestCase("4000::1", true)]
    [TestCase("5f00::1", true)]
    [TestCase("fd12:3456::1", true)]
    [TestCase("fec0::1", true)]
    [TestCase("fc00::1", true)]
    [TestCase("fe80::1", true)]
    [TestCase("ff02::1", true)]
    [TestCase("2002:a00:1::1", true)]
    [TestCase("2606:4700::1111", false)]
    public void Names_do_not_lead_to_special_addresses(string address, bool isSpecial) =>
        Assert.That(SpecialAddress.Is(IPAddress.Parse(address)), Is.EqualTo(isSpecial));

    [TestCase("example.com")]
    [TestCase("example.com:0")]
    [TestCase("example.com:65536")]
    [TestCase("example.com:-1")]
    [TestCase(":80")]
    [TestCase("127.1:80")]
    [TestCase("0x0:80")]
    [TestCase("0x7f000001:80")]
    [TestCase("010.0.0.1:80")]
    [TestCase("::1:80")]
    [TestCase("[127.0.0.1]:80")]
    [TestCase("*.example.com:80")]
    [TestCase("a b:80")]
    [TestCase("a\n10.0.0.1 b:80")]
    [TestCase("a..b:80")]
    [TestCase("localhost:80")]
    [TestCase("LocalHost:80")]
    [TestCase("198.18.0.1:80")]
    [TestCase("198.19.255.255:80")]
    [TestCase("[::ffff:198.18.0.1]:80")]
    [TestCase("0x7f000001.1.:80")]
    [TestCase("[fe80::1%2]:80")]
    [TestCase("[]:80")]
    [TestCase("-a.b:80")]
    [TestCase("example.com:080x")]
    [TestCase("b\u00fccher.example:80")]
    public void What_is_no_destination_is_refused(string host) =>
        Assert.That(() => new ProgramNetwork { AllowedHosts = [host] }, Throws.ArgumentException);

    [Test]
    public void Only_stated_destinations_are_allowed()
    {
        NetworkRules rules = new ProgramNetwork { AllowedHosts = ["127.0.0.1:80", "example.com:443", "EXAMPLE.com:80", "[::1]:7", "[::ffff:10.0.0.5]:9"] }.Rules;

        Assert.Multiple(() =>
        {
            Assert.That(rules.Allows(IPEndPoint.Parse("127.0.0.1:80"), out string? none) && none is null);
            Assert.That(rules.Allows(IPEndPoint.Parse("127.0.0.1:81"), out _), Is.False);
            Assert.That(rules.Allows(IPEndPoint.Parse("[::1]:7"), out _));
            Assert.That(rules.Allows(IPEndPoint.Parse("10.0.0.5:9"), out _));
            Assert.That(rules.Allows(IPEndPoint.Parse("198.18.0.1:443"), out string? name) && name == "example.com");
            Assert.That(rules.Allows(IPEndPoint.Parse("198.18.0.1:80"), out _));
            Assert.That(rules.Allows(IPEndPoint.Parse("198.18.0.1:81"), out _), Is.False);
        });
    }

    [Test]
    public void The_names_are_in_a_file_of_the_program() => Assert.That(
        System.Text.Encoding.ASCII.GetString(new ProgramNetwork { AllowedHosts = ["b.test:1", "10.0.0.1:1", "a.test:2", "B.test:3"] }.Rules.HostsFile.Span),
        Is.EqualTo("127.0.0.1\tlocalhost hyperlight\n::1\tlocalhost\n198.18.0.1\tb.test\n198.18.0.2\ta.test\n"));

    [Test]
    public void A_thousand_destinations_are_allowed()
    {
        string[] hosts = [.. Enumerable.Range(0, 1000).Select(static i => $"name{i}.test:443")];

        Assert.That(new ProgramNetwork { AllowedHosts = hosts }.Rules.Allows(IPEndPoint.Parse("198.18.3.232:443"), out string? name) && name == "name999.test");
        Assert.That(() => new ProgramNetwork { AllowedHosts = [.. hosts, "more.test:1"] }, Throws.ArgumentException);
    }

    [Test]
    public void Limits_are_checked() => Assert.Multiple(() =>
    {
        Assert.That(() => new ProgramNetwork { MaximumConnections = 0 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramNetwork { MaximumConnections = 257 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramNetwork { MaximumBytes = -1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramNetwork { ConnectTimeout = TimeSpan.Zero }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramNetwork { AllowedHosts = null! }, Throws.ArgumentNullException);
        Assert.That(() => new ProgramNetwork { AllowedHosts = [null!] }, Throws.ArgumentException);
    });
}
