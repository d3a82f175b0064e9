using System.Text.RegularExpressions;
using Hyperlight.Abstractions;
using Hyperlight.Tests.Integration;
using Microsoft.Extensions.DependencyInjection;
using Moq;

namespace Hyperlight.Tests.Documentation;

/// <summary>The fragments of docs/testing.md: they are compiled here, and run.</summary>
[TestFixture]
internal sealed class TestingPageTests
{
    [Test]
    public void Every_fragment_of_the_page_is_in_this_file()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "testing.md"));
        string source = Unindent(File.ReadAllText(Path.Combine(Repository.Root, "Hyperlight.Tests", "Documentation", "TestingPageTests.cs")));

        MatchCollection fragments = Regex.Matches(page, "```csharp\n(.*?)```", RegexOptions.Singleline);

        Assert.That(fragments, Has.Count.EqualTo(4));
        Assert.That(fragments.Select(f => Unindent(f.Groups[1].Value)).Where(f => !source.Contains(f, StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void A_mocked_sandbox()
    {
        var sandbox = new Mock<ISandbox>();
        sandbox.Setup(s => s.Call<int>("Add", 1, 2)).Returns(3);
        sandbox.Setup(s => s.Call<int>("Add", It.IsAny<GuestValue[]>(), It.IsAny<CancellationToken>()))
            .Throws(new OperationCanceledException());

        var calculator = new Calculator(sandbox.Object);

        Assert.That(calculator.Add(1, 2), Is.EqualTo(3));
        Assert.That(() => calculator.Add(1, 2, default), Throws.TypeOf<OperationCanceledException>());
        sandbox.Verify(s => s.Call<int>("Add", 1, 2), Times.Once);
    }

    [Test]
    public void A_mocked_hypervisor_that_is_not_usable()
    {
        var driver = new Mock<IHypervisor>();
        driver.Setup(d => d.Name).Returns("mock");
        driver.Setup(d => d.Probe()).Returns(new HypervisorStatus(HypervisorAvailability.NoDevice, "There is no device."));
        using ServiceProvider services = new ServiceCollection()
            .AddHyperlight().RemoveBuiltInDrivers().AddDriver(driver.Object)
            .Services.BuildServiceProvider();

        ISandboxFactory factory = services.GetRequiredService<ISandboxFactory>();

        Assert.That(() => factory.Hypervisor, Throws.TypeOf<HypervisorNotAvailableException>());
    }

    [Test]
    public void A_guest_on_the_emulator()
    {
        string guest = Path.Combine(AppContext.BaseDirectory, "guests", TestTargets.GeneralGuest);

        using MultiUseSandbox sandbox = new SandboxBuilder().UseEmulator().WithGuest(guest).Build();

        Assert.That(new Calculator(sandbox).Add(1, 2), Is.EqualTo(3));
    }

    /// <summary>Removes the indentation of every line.</summary>
    private static string Unindent(string text) => Regex.Replace(text.ReplaceLineEndings("\n"), "^ +", "", RegexOptions.Multiline);

    internal sealed class Calculator(ISandbox sandbox)
    {
        public int Add(int a, int b) => sandbox.Call<int>("Add", a, b);

        public int Add(int a, int b, CancellationToken token) => sandbox.Call<int>("Add", [a, b], token);
    }
}
