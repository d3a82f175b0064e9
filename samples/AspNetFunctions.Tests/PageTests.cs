using PuppeteerSharp;

namespace Hyperlight.Samples.AspNetFunctions.Tests;

/// <summary>The page, in a real browser.</summary>
internal sealed class PageTests
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    /// <summary>In milliseconds.</summary>
    private const int Patience = 120_000;

    // A new profile, and no connections but those of the page.
    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    ];

    private FunctionService _service;
    private IBrowser _browser;
    private IPage _page;
    private List<string> _errors;

    [SetUp]
    public async Task StartAsync()
    {
        string? chromium = Array.Find(Places, File.Exists);
        if (chromium is null)
        {
            Assert.Ignore($"This machine has no Chromium: none of {string.Join(", ", Places)} exists.");
        }

        _service = new FunctionService("emulator", ("Logging:LogLevel:Hyperlight.Guest", "Information"));
        _service.UseKestrel(0);
        using HttpClient client = _service.CreateClient();
        _browser = await Puppeteer.LaunchAsync(new LaunchOptions { ExecutablePath = chromium, Args = Arguments, Timeout = Patience });
        _page = await _browser.NewPageAsync();
        _page.DefaultTimeout = Patience;
        _errors = [];
        _page.PageError += (_, error) => _errors.Add(error.Message);
        _page.Console += (_, message) => _errors.AddRange(message.Message.Type is ConsoleType.Error ? [message.Message.Text] : []);
        await _page.GoToAsync(client.BaseAddress!.ToString());
        await _page.WaitForFunctionAsync("() => document.querySelectorAll('#function option').length === 10");
    }

    [TearDown]
    public async Task StopAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        if (_service is not null)
        {
            await _service.DisposeAsync();
        }
    }

    [Test]
    public async Task It_shows_the_driver_and_the_pools()
    {
        Assert.That(await TextAsync("#driver"), Does.StartWith("Driver: emulator"));
        Assert.That(await TextAsync("#guests"), Does.Contain("functions"));
        Assert.That(await TextAsync("#drivers"), Does.Contain("emulator: usable"));
        Assert.That(_errors, Is.Empty);
    }

    [Test]
    public async Task A_function_is_called_with_the_keyboard_alone()
    {
        await _page.FocusAsync("#function");
        await _page.Keyboard.PressAsync("Tab");
        await _page.Keyboard.TypeAsync("40");
        await _page.Keyboard.PressAsync("Tab");
        await _page.Keyboard.TypeAsync("2");
        await _page.Keyboard.PressAsync("Enter");
        await _page.WaitForFunctionAsync("() => document.getElementById('result').textContent.includes('\"result\":42')");
        await _page.WaitForFunctionAsync("() => document.getElementById('chart-text').textContent.startsWith('The last 1 calls')");
        Assert.That(_errors, Is.Empty);
    }

    [Test]
    public async Task Guest_logs_appear_as_they_come_and_are_text()
    {
        await _page.SelectAsync("#function", "Log");
        await _page.TypeAsync("#arguments label:nth-of-type(1) input", "<b>bold</b>");
        await _page.TypeAsync("#arguments label:nth-of-type(2) input", "2");
        await _page.ClickAsync("#call button");
        await _page.WaitForFunctionAsync("() => document.querySelectorAll('#logs li').length === 2");
        Assert.That(await TextAsync("#logs li"), Does.StartWith("Information functions: <b>bold</b>"));
        Assert.That(await _page.QuerySelectorAsync("#logs b"), Is.Null);
    }

    [Test]
    public async Task The_problem_of_a_call_is_shown()
    {
        await _page.SelectAsync("#function", "Crash");
        await _page.ClickAsync("#call button");
        await _page.WaitForFunctionAsync("() => document.getElementById('result').textContent.startsWith('502 guest-crashed (fault of the guest)')");
    }

    [Test]
    public async Task It_is_light_or_dark_as_the_user_chooses()
    {
        string before = await BackgroundAsync();
        await _page.ClickAsync("#theme");
        Assert.That(await BackgroundAsync(), Is.Not.EqualTo(before));
    }

    [Test]
    public async Task Each_control_has_a_name_for_assistive_technology()
    {
        string[] unnamed = await _page.EvaluateFunctionAsync<string[]>(
            "() => [...document.querySelectorAll('input, select, button')].filter(e => !(e.labels?.length || e.textContent.trim())).map(e => e.id)");
        Assert.That(unnamed, Is.Empty);
    }

    private Task<string> TextAsync(string selector) => _page.QuerySelectorAsync(selector).EvaluateFunctionAsync<string>("e => e.textContent");

    private Task<string> BackgroundAsync() => _page.EvaluateFunctionAsync<string>("() => getComputedStyle(document.body).backgroundColor");
}
