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
    [TestCase("169.254.169.254", true)]
    [TestCase("172.16.0.1", true)]
    [TestCase("172.32.0.1", false)]
    [TestCase("192.168.1.1", true)]
    [TestCase("198.18.0.1", true)]
    [TestCase("224.0.0.1", true)]
    [TestCase("255.255.255.255", true)]
    [TestCase("8.8.8.8", false)]
    [TestCase("::", true)]
    [TestCase("::1", true)]
    [TestCase("::ffff:10.0.0.1", true)]
    [TestCase("::ffff:8.8.8.8", false)]
    [TestCase("64:ff9b::a00:1", true)]
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
    [TestCase("010.0.0.1:80")]
    [TestCase("::1:80")]
    [TestCase("[127.0.0.1]:80")]
    [TestCase("*.example.com:80")]
    [TestCase("a b:80")]
    [TestCase("a\n10.0.0.1 b:80")]
    [TestCase("a..b:80")]
    public void What_is_no_destination_is_refused(string host) =>
        Assert.That(() => new ProgramNetwork { AllowedHosts = [host] }, Throws.ArgumentException);

    [Test]
    public void Only_stated_destinations_are_allowed()
    {
        NetworkRules rules = new ProgramNetwork { AllowedHosts = ["127.0.0.1:80", "example.com:443", "EXAMPLE.com:80", "[::1]:7"] }.Rules;

        Assert.Multiple(() =>
        {
            Assert.That(rules.Allows(IPEndPoint.Parse("127.0.0.1:80"), out string? none) && none is null);
            Assert.That(rules.Allows(IPEndPoint.Parse("127.0.0.1:81"), out _), Is.False);
            Assert.That(rules.Allows(IPEndPoint.Parse("[::1]:7"), out _));
            Assert.That(rules.Allows(IPEndPoint.Parse("198.18.0.1:443"), out string? name) && name == "example.com");
            Assert.That(rules.Allows(IPEndPoint.Parse("198.18.0.1:80"), out _));
            Assert.That(rules.Allows(IPEndPoint.Parse("198.18.0.1:81"), out _), Is.False);
        });
    }
}
