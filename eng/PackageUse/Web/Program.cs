using Hyperlight;

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
builder.Services.AddHyperlight(builder.Configuration.GetSection("Hyperlight"));
WebApplication app = builder.Build();
string guest = app.Configuration["Guest"] ?? throw new InvalidOperationException("The setting Guest is missing.");

app.MapGet("/hello/{name}", (string name, ISandboxFactory sandboxes) =>
{
    using MultiUseSandbox sandbox = sandboxes.CreateBuilder()
        .WithGuest(guest)
        .WithHostFunction("GetWeekday", () => "Monday")
        .Build();
    return sandbox.Call<string>("SayHello", name);
});

app.Run();
